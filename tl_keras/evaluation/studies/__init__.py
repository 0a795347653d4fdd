"""Plots and pages of studies of a data set, in the style of the reports of runs."""
