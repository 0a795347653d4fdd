"""Detectors of KerasHub: presets and networks."""
