"""Experiments and commits beside each other on one screen: what matters first, what only follows left out."""
