"""One training run, from data to report."""
