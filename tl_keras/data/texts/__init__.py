"""Texts and their labels: finding, checking and cleaning them."""
