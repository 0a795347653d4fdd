"""Cached activations of frozen blocks: computing, storing and choosing what to store."""
