"""What the pipeline costs, measured; never part of a test."""
