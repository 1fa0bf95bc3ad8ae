"""Weights in memory and on disk: reading them safely, fitting them to a module, storing them."""
