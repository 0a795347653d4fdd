"""Exports of a trained model to other formats, each checked against the model; knows no configuration."""
