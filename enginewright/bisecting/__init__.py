"""Where a reduced precision breaks a network: the smallest set of nodes that must stay fp32, found on a CPU."""
