"""A year of a class in one file, and back."""
