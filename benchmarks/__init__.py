"""What the pipeline costs, measured against the floor and against peers; never part of a test.

One file a measurement; benchmarks/README.md says which, and what they found.
"""
