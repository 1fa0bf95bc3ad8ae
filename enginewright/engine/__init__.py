"""Engines: built in a process of their own, recorded, and loaded only where the record says that they can run."""
