"""The statement beside an engine: what it was made from, by what, where, and what was found of it."""
