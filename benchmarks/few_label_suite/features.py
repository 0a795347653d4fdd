"""Features of the frozen network of tl_keras: the pooled outputs of its blocks."""

import numpy as np
from PIL import Image

from tl_keras import models
from tl_keras.models.blocks import block_of
from tl_keras.system import devices

BATCH_SIZE = 32
MAX_TOKENS = 128


def image_features(paths, image_size, weights="imagenet"):
    """Computes the mean of each channel after each block of EfficientNet-Lite0.

    Args:
        paths: list of n paths of images.
        image_size: side in pixels that they are resized to.
        weights: "imagenet", or None for random weights.

    Returns:
        List of float32 (n, channels), one for each block, input side first.
    """
    devices.load_tensorflow()
    import keras

    backbone = models.build_backbone("efficientnet_lite0", weights=weights, image_size=image_size)
    pooled = [keras.layers.GlobalAveragePooling2D()(end) for end in _block_ends(backbone, rank=4)]
    size = (image_size, image_size)
    images = np.stack([np.asarray(Image.open(path).convert("RGB").resize(size), "float32") for path in paths])
    return keras.Model(backbone.input, pooled).predict(images, batch_size=BATCH_SIZE, verbose=0)


def text_features(texts):
    """Computes the mean over the tokens after each layer of MiniLM.

    The last is normalised to length 1, as in sentence-transformers.

    Args:
        texts: list of n texts, of which at most 128 tokens are read.

    Returns:
        List of float32 (n, 384), one for each layer, input side first.
    """
    devices.load_tensorflow()
    import keras

    model = models.build_text_classifier("minilm", 2)
    mask = model.input["padding_mask"]
    *earlier, last = [keras.layers.GlobalAveragePooling1D()(end, mask=mask) for end in _block_ends(model, rank=3)]
    pooled = keras.Model(model.input, [*earlier, keras.layers.UnitNormalization()(last)])
    tokenizer = model.tokenizer
    room = MAX_TOKENS - len(tokenizer.start_ids) - len(tokenizer.end_ids)
    rows = [[*tokenizer.start_ids, *ids[:room], *tokenizer.end_ids] for ids in tokenizer.encode(texts)]
    # Batches of similar length have little padding.
    order = np.argsort([len(row) for row in rows], kind="stable")
    batches = [order[start : start + BATCH_SIZE] for start in range(0, len(rows), BATCH_SIZE)]
    outputs = [pooled.predict_on_batch(_padded([rows[row] for row in batch], tokenizer.pad_id)) for batch in batches]
    back = np.argsort(order)
    return [np.concatenate(parts)[back] for parts in zip(*outputs, strict=True)]


def _block_ends(model, rank):
    """Lists the last output of each block with that number of dimensions, input side first."""
    # Operations are in topological order, so that the last one of a block counts.
    ends = {block_of(operation): operation.output for operation in model.operations}
    return [end for block, end in ends.items() if len(end.shape) == rank and block != "preprocessing"]


def _padded(rows, pad_id):
    length = max(len(row) for row in rows)
    ids = np.full((len(rows), length), pad_id, "int32")
    mask = np.zeros_like(ids)
    for row, values in enumerate(rows):
        ids[row, : len(values)], mask[row, : len(values)] = values, 1
    return {"token_ids": ids, "padding_mask": mask, "segment_ids": np.zeros_like(ids)}
