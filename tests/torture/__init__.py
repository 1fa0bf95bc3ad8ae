"""Bad inputs and faults in one run, each with what is promised for it."""
