"""Parts that networks are made of, each large enough for a file of its own."""
