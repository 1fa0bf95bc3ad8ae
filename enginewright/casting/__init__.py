"""From a simplified graph to a strongly typed one: one file each precision."""
