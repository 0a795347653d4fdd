"""Simple models that a network must beat, and the comparison with them."""
