"""LoRA: dense layers of a pretrained network learn through small additions of low rank, and end as plain layers."""

import math

import keras
import numpy as np

from tl_keras.errors import InputError, unknown_name
from tl_keras.models.blocks import block_of
from tl_keras.system.gc_freeze import quick_collection

ADAPTABLE = (keras.layers.Dense, keras.layers.EinsumDense, keras.layers.Embedding)
BASES = ("_kernel", "_embeddings")
ADAPTERS = (("lora_kernel_a", "lora_kernel_b"), ("lora_embeddings_a", "lora_embeddings_b"))


def add_lora(model, rank, *, alpha=None, blocks=None):
    """Gives the dense, einsum-dense and embedding layers of a model's backbone adapters of low rank.

    Hu et al. 2021 (https://arxiv.org/abs/2106.09685, section 4.1): W becomes W + alpha / rank * A B, where B begins at
    zero, so that the model computes what it did. Of the backbone only A and B learn from now on; kernels, biases and
    normalization stay frozen (see `freeze_beside_lora`). The head learns as a whole. A layer is left out when A and B
    would be no smaller than its kernel. A kernel of more than two axes, as in attention, has A over all axes but the
    last: Keras's choice, which takes more parameters than the paper's matrices.

    A model that was compiled must be compiled again, and one that has predicted needs its
    `make_predict_function(force=True)`: functions that were traced before know no adapters.

    Args:
        model: any built `keras.Model`. Its head is the block `head`, or the last layer that has weights.
        rank: columns of A and rows of B, at least 1, such as 8.
        alpha: scale of the addition, above 0; None for `rank`, a scale of 1.
        blocks: list of the blocks that get adapters; None for all but the head.

    Returns:
        List of the paths of the adapted kernels.

    Raises:
        InputError: `rank` or `alpha` out of range, an unknown block, nothing to adapt, or LoRA is there already.
    """
    if rank < 1 or rank % 1:
        raise InputError(f"lora_rank is {rank}, expected a whole number, at least 1, such as 8.")
    if alpha is not None and not 0 < alpha < math.inf:
        raise InputError(f"lora_alpha is {alpha}, expected a number above 0, or None for the rank.")
    if _adapted_layers(model):
        raise InputError("The model has LoRA already: fold it in with merge_lora before adding it anew.")
    chosen = _choose(model, blocks)
    fitting = [layer for layer in chosen if rank <= _largest_rank(layer)]
    if not fitting:
        _refuse(model, rank, chosen)
    for layer in fitting:
        layer.enable_lora(int(rank), lora_alpha=alpha)
    freeze_beside_lora(model)
    return [_base(layer).path for layer in fitting]


def freeze_beside_lora(model):
    """Freezes all of the backbone but the adapters, where a model has any; does nothing to other models.

    To be called whenever flags were set layer by layer, which thaws the kernels too. Adapters in frozen layers stay
    frozen, and so does the head.

    Args:
        model: any built `keras.Model`.
    """
    adapters = {id(v) for layer in _adapted_layers(model) for v in _adapters(layer)}
    if not adapters:
        return
    for layers in _backbone_blocks(model).values():
        for variable in (v for layer in layers for v in layer.trainable_weights):
            if id(variable) not in adapters:
                variable.trainable = False


def merge_lora(model):
    """Folds the adapters of a model into its kernels and removes them, in place.

    The model computes the same as before, to rounding, and is plain again: no trace of LoRA in its weights and its
    configuration. What was frozen for LoRA's sake follows the flags of its layer again. Functions that were compiled
    before, and models that share the layers, stay right; to train on, compile anew.

    Args:
        model: any built `keras.Model`; one without LoRA stays as it is.

    Returns:
        Number of layers that were merged.
    """
    layers = _adapted_layers(model)
    # Keras 3.15.1 collects garbage whenever a variable is deleted from a layer, a quarter of a second each time.
    with quick_collection():
        for layer in layers:
            _merge(layer)
    if layers:
        for part in model._flatten_layers():
            for variable in part._trainable_variables:
                variable.trainable = part.trainable
    return len(layers)


def _merge(layer):
    base, (a, b) = _base(layer), _adapters(layer)
    addition = layer.lora_alpha / layer.lora_rank * np.matmul(a.numpy(), b.numpy(), dtype="float64")
    base.assign(base.numpy() + addition)
    # Whoever still refers to the adapters adds nothing any more.
    b.assign(np.zeros(b.shape))
    for name in _adapter_names(layer):
        delattr(layer, name)
    layer.lora_enabled, layer.lora_rank, layer.lora_alpha = False, None, None


def _choose(model, blocks):
    backbone = _backbone_blocks(model)
    for block in blocks or ():
        if block not in backbone:
            raise unknown_name("LoRA block", block, backbone)
    members = [layer for block in blocks or backbone for layer in backbone[block]]
    parts = {id(part): part for layer in members for part in layer._flatten_layers()}
    return [part for part in parts.values() if _is_adaptable(part)]


def _is_adaptable(layer):
    if not isinstance(layer, ADAPTABLE) or not layer.weights or layer.quantization_mode:
        return False
    return _base(layer).constraint is None


def _refuse(model, rank, chosen):
    if not chosen:
        raise InputError(
            f"LoRA finds nothing to adapt in the backbone of {model.name!r}, which has no dense layers there: take "
            "convnext_tiny, a vision transformer of KerasHub or a text model, or leave out lora_rank."
        )
    raise InputError(
        f"lora_rank is {rank}: its adapters would be no smaller than the kernels they stand for; give at most "
        f"{max(map(_largest_rank, chosen))}."
    )


def _largest_rank(layer):
    """Gives the largest rank at which rank * (rows + columns) < rows * columns."""
    *leading, columns = _base(layer).shape
    rows = math.prod(leading)
    return (rows * columns - 1) // (rows + columns)


def _adapted_layers(model):
    return [part for part in model._flatten_layers() if isinstance(part, ADAPTABLE) and part.lora_enabled]


def _base(layer):
    return next(getattr(layer, name) for name in BASES if hasattr(layer, name))


def _adapter_names(layer):
    return next(names for names in ADAPTERS if hasattr(layer, names[0]))


def _adapters(layer):
    return [getattr(layer, name) for name in _adapter_names(layer)]


def _backbone_blocks(model):
    blocks = {}
    for layer in _leaf_layers(model):
        if layer.weights:
            blocks.setdefault(block_of(layer), []).append(layer)
    if not blocks:
        raise InputError("The model has no weights yet: build it first, for example by calling it on a batch.")
    del blocks["head" if "head" in blocks else list(blocks)[-1]]
    return blocks


def _leaf_layers(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaf_layers(layer)
        else:
            yield layer
