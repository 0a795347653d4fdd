"""Data sets that the commands take by name."""
