"""Saved models: writing them, and opening those of strangers safely."""
