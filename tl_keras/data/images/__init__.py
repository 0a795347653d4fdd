"""Images and their labels: finding, checking, decoding, augmenting and batching them."""
