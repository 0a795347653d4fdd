"""Texts as token ids: tokenizing, caching and batching them."""
