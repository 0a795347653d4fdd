"""Parts of the benchmark `few_labels.py`."""
