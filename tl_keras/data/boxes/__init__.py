"""Images with boxes: finding, checking, tiling, augmenting and batching them."""
