"""Other tools at the same work, by their own command lines."""
