"""Finding, checking, tiling, augmenting and batching of images with boxes."""
