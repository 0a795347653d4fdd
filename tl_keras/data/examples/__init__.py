"""Example data sets, which are known by name."""
