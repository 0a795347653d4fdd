"""Classifiers of images and texts with the interface of scikit-learn."""
