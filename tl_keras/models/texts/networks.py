"""Text encoders as flat graphs with the blocks `embeddings`, `layer1` to `layerN` and `pooler`.

Only the hidden states and the padding mask, an input of the model, pass from one block to the next.
"""

import re

import keras
import numpy as np
from keras import ops

ENCODER_LAYER = re.compile(r"(?:transformer_layer|disentangled_attention_encoder_layer)_(\d+)")
RELATIVE = "rel_embedding"
GROUP_LAYER = re.compile(r"group_(\d+)_inner_layer_(\d+)")


def named_text_network(network, *, pooled, settings, copy_weights):
    """Copies an encoder of KerasHub so that each layer is named `BLOCK.LAYER`.

    An ALBERT calls the same layers repeatedly: each group of them is one block, named `encoder` if there is only one.
    The relative positions of a DeBERTa belong to the block `embeddings`; each layer calls them again, so that they do
    not pass from block to block.

    Args:
        network: functional network of KerasHub.
        pooled: True ends the copy at the pooler's output, False at the output of all tokens.
        settings: dictionary with the new "activation" and "epsilon" of its layers; missing keys change nothing.
        copy_weights: True copies the weights, False initializes them randomly.

    Returns:
        Functional `keras.Model` that shares no variables with the network. In: a dictionary of int32 (batch, tokens):
        "token_ids", "padding_mask" (1 for tokens, 0 for padding) and, for some families, "segment_ids". Out: (batch,
        tokens, channels), or (batch, channels) when pooled.
    """
    outputs = network.output
    if isinstance(outputs, dict):
        outputs = outputs["pooled_output" if pooled else "sequence_output"]
    source = keras.Model(network.input, outputs)
    groups = {match[1] for layer in network.layers if (match := GROUP_LAYER.fullmatch(layer.name))}
    copies, zeroed = {}, []

    def copy(operation):
        if operation.name not in copies:
            copies[operation.name] = _copy(operation, len(groups), settings)
            if copy_weights:
                zeroed.append(_start_at_zero(copies[operation.name]))
        return copies[operation.name]

    def call(operation, *arguments, **options):
        if "rel_embeddings" in options:
            options["rel_embeddings"] = copies[RELATIVE](arguments[0])
        return operation(*arguments, **options)

    model = keras.models.clone_model(source, clone_function=copy, call_function=call)
    for name, layer in copies.items():
        if copy_weights and getattr(layer, "weights", None):
            layer.set_weights(source.get_layer(name).get_weights())
    for initializers in zeroed:
        for layer, name, initializer in initializers:
            setattr(layer, name, initializer)
    return model


class RelativePositions:
    """Relative position embedding of a DeBERTa, built of plain Keras layers.

    A saved graph with KerasHub's own layer cannot be opened: the layer has no `build` in KerasHub 0.32, so Keras 3.15
    creates no variables for the layer inside it.
    """

    def __init__(self, layer):
        """Creates the layers.

        Args:
            layer: KerasHub's `RelativeEmbedding`.
        """
        self.count = 2 * layer.bucket_size
        self.positions = keras.layers.Embedding(
            self.count,
            layer.hidden_dim,
            embeddings_initializer=layer.kernel_initializer,
            dtype=layer.dtype_policy,
            name="embeddings.relative_positions",
        )
        self.norm = keras.layers.LayerNormalization(
            epsilon=layer.layer_norm_epsilon, dtype=layer.dtype_policy, name="embeddings.relative_layer_norm"
        )

    def __call__(self, hidden):
        """Repeats the positions for each example.

        Args:
            hidden: Keras tensor (batch, tokens, channels).

        Returns:
            Keras tensor (batch, positions, channels).
        """
        numbers = ops.cast(ops.zeros_like(hidden[:1, :1, 0]), "int32") + np.arange(self.count, dtype="int32")
        return ops.zeros_like(hidden[:, :1, :]) + self.norm(self.positions(numbers))

    @property
    def weights(self):
        """List of the variables in the order of KerasHub's layer."""
        return [*self.positions.weights, *self.norm.weights]

    def set_weights(self, arrays):
        """Assigns arrays to the variables.

        Args:
            arrays: list of arrays in the order of KerasHub's layer.
        """
        for variable, array in zip(self.weights, arrays, strict=True):
            variable.assign(array)


def _copy(operation, groups, settings):
    if operation.name == RELATIVE:
        return RelativePositions(operation)
    config = {**operation.get_config(), "name": _name(operation, groups)}
    return type(operation).from_config(_with_settings(config, settings))


def _start_at_zero(operation):
    """Replaces random initializers, since half of the time to build an encoder goes into values that are overwritten.

    Returns:
        List of (layer, attribute, initializer) to restore.
    """
    replaced = []
    layers = operation._flatten_layers() if isinstance(operation, keras.Layer) else ()
    for layer in layers:
        for name, value in vars(layer).items():
            if isinstance(value, keras.initializers.Initializer) and hasattr(value, "seed"):
                replaced.append((layer, name, value))
    for layer, name, _ in replaced:
        setattr(layer, name, keras.initializers.Zeros())
    return replaced


def _name(operation, groups):
    name = operation.name
    if match := ENCODER_LAYER.fullmatch(name):
        return f"layer{int(match[1]) + 1}.encoder"
    if match := GROUP_LAYER.fullmatch(name):
        return f"encoder{int(match[1]) + 1 if groups > 1 else ''}.layer{int(match[2]) + 1}"
    if name == "pooled_dense":
        return "pooler.dense"
    if not isinstance(operation, keras.Layer):
        return "pooler.first"
    short = "token_and_position_embedding" if name == "embeddings" else re.sub("^embeddings?_", "", name)
    return f"embeddings.{short}"


def _with_settings(config, settings):
    config = dict(config)
    if "activation" in settings and "intermediate_dim" in config:
        # Functions of KerasHub have a registered name, which Keras's layers do not look up.
        name = settings["activation"]
        config["activation"] = keras.saving.get_registered_object(name) or name
    for key in ("epsilon", "layer_norm_epsilon"):
        if "epsilon" in settings and key in config:
            config[key] = settings["epsilon"]
    return config
