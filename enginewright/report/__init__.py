"""What the pipeline found, for people: one HTML page, and the result table of the README."""
