"""The page on variants: sweeps, GPU tables and runs side by side, what to ship, and what two runs differ in."""
