"""Text classifiers, their pretrained encoders and tokenizers."""
