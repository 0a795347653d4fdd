"""Weight files: opening, checking and matching them to a model."""
