"""The tasks: each in one file, used by every verb through one interface."""
