"""Readers of folders, tables and data sets of TensorFlow Datasets, for all kinds of data."""
