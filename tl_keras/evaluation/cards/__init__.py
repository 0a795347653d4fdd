"""Model cards: text for readers, and metadata for hubs of models."""
