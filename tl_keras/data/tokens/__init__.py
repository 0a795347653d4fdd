"""Tokenizing of texts, and caching and batching of token ids."""
