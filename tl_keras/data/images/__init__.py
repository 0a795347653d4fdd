"""Finding, checking, decoding, augmenting and batching of images with labels."""
