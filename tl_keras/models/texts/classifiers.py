"""Text classifiers over tokens: an encoder and a fresh head behind it, as one plain Keras model."""

import keras

from tl_keras.errors import InputError
from tl_keras.models.heads import add_head, check_head
from tl_keras.models.texts.networks import named_text_network
from tl_keras.models.texts.presets import default_pooling, find_text_source, open_text_network
from tl_keras.models.texts.tokenizers import build_tokenizer
from tl_keras.models.weights.loading import load_weights

POOLINGS = ("average", "first")


def build_text_classifier(
    backbone,
    num_classes,
    *,
    weights="pretrained",
    pooling=None,
    dropout=0.1,
    hidden_units=None,
    multi_label=False,
    output="probabilities",
    class_names=None,
    weights_sha256=None,
):
    """Builds a classifier that takes the tokens of a text, or of a pair of texts.

    `with_text_input` puts the tokenizer in front of it once it is trained. On a CPU it trains faster after
    `use_fused_layers`.

    Args:
        backbone: a name of `TEXT_BACKBONES`, or the folder of a KerasHub preset or of a Hugging Face checkpoint.
        num_classes: number of classes, at least 2, or at least 1 when `multi_label`.
        weights: "pretrained", None or "none" for random ones, or the path of a local file or folder of this project
            (see `load_weights`).
        pooling: "average" of all tokens, or "first" for the first one, through the pooler where the checkpoint has one;
            None for what suits the encoder.
        dropout: share of the pooled features that are dropped in training, 0 to below 1; 0 leaves the layer out.
        hidden_units: width of a ReLU layer before the last one; None leaves it out.
        multi_label: True when a text may be of several classes at once or of none: sigmoids in place of the softmax.
        output: "probabilities" or "logits".
        class_names: sequence of `num_classes` names; kept as `model.class_names`, and by `save_model` in the file.
        weights_sha256: hexadecimal digest that a weights file must have; None checks nothing.

    Returns:
        `keras.Model`. In: a dictionary of int32 (batch, tokens) with any number of tokens up to
        `model.tokenizer.max_tokens`: "token_ids", "padding_mask" (1 where a token is, 0 behind) and, where
        `model.tokenizer.has_segments`, "segment_ids". Out: float32 (batch, num_classes), also under a mixed precision
        policy. Its layers are named `BLOCK.LAYER`; the last block is `head`. `model.tokenizer` is the `TextTokenizer`;
        with a local file, `model.weights_report` is the `WeightsReport` of what came from it, else None.

    Raises:
        InputError: an argument is out of its range or unknown, or the encoder or its weights cannot be had.
    """
    check_head(
        num_classes,
        pooling=pooling or POOLINGS[0],
        poolings=POOLINGS,
        dropout=dropout,
        hidden_units=hidden_units,
        multi_label=multi_label,
        output=output,
        class_names=class_names,
    )
    weights = None if weights == "none" else weights
    from_file = weights not in ("pretrained", None)
    if weights_sha256 and not from_file:
        raise InputError(
            f"A SHA-256 was given for the weights {weights!r}, which are no file: give --model.weights PATH."
        )
    source = find_text_source(backbone)
    pretrained = weights == "pretrained"
    network, settings, has_pooler = open_text_network(source, weights=pretrained)
    pooling = pooling or default_pooling(source)
    encoder = named_text_network(
        network, pooled=pooling == "first" and has_pooler, settings=settings, copy_weights=pretrained
    )
    outputs = add_head(
        _pool(encoder, pooling),
        num_classes,
        dropout=dropout,
        hidden_units=hidden_units,
        multi_label=multi_label,
        output=output,
    )
    model = keras.Model(encoder.input, outputs, name=source.short_name)
    model.tokenizer = build_tokenizer(backbone)
    model.class_names = tuple(class_names) if class_names is not None else None
    model.weights_report = load_weights(model, weights, sha256=weights_sha256) if from_file else None
    return model


def _pool(encoder, pooling):
    features = encoder.output
    if len(features.shape) == 2:
        return features
    if pooling == "first":
        return features[:, 0, :]
    pool = keras.layers.GlobalAveragePooling1D(dtype="float32", name="head.pool")
    return pool(features, mask=encoder.input["padding_mask"])
