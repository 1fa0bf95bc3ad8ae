"""What differs in two files of the same name: down to the node of a graph, the array of a reference, the figure."""

from enginewright.reproducing.differences.dispatch import difference

__all__ = ["difference"]
