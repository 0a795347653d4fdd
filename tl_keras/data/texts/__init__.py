"""Finding, checking and cleaning of texts with labels."""
