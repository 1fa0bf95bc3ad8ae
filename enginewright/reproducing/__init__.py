"""Everything built again in another place, and every digest compared."""
