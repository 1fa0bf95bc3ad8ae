"""Preflight: whether a graph will become an engine, said in seconds by the builder itself, before any slow work."""
