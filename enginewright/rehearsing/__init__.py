"""What a typed graph will do on hardware that has its types, rehearsed on a CPU: ranges, and rounding at every step."""
