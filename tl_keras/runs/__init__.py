"""The run folder, and a finished run opened for use."""
