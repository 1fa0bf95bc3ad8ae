"""Bad inputs, kills and other faults, each with what was promised for it: `make torture`."""
