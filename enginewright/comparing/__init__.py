"""Comparing artifacts with the reference: running, aligning, measuring, judging."""
