"""Trackers of experiments that a training reports to: TensorBoard, MLflow and Weights & Biases."""
