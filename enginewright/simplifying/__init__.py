"""Simplifying graphs in a child process, because the simplifier can crash."""
