"""Pictures for people: written as PNG, the same bytes for the same input."""
