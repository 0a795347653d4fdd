"""Image classifiers and their pretrained backbones."""
