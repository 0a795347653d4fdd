"""Run folders, and finished runs opened for use."""
