"""Saved models: writing them, and opening untrusted files safely."""
