"""Confidence of a classifier: its calibration, and the share of examples above a threshold."""
