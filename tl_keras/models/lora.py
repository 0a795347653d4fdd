"""LoRA: low-rank adapters for the dense layers of a pretrained network, merged into plain layers at the end."""

import math

import keras
import numpy as np

from tl_keras.errors import InputError, unknown_name
from tl_keras.models.layers_by_block import flatten_layers, head_of, layers_by_block
from tl_keras.system.global_state import quick_collection

ADAPTABLE = (keras.layers.Dense, keras.layers.EinsumDense, keras.layers.Embedding)
BASES = ("_kernel", "_embeddings")
ADAPTERS = (("lora_kernel_a", "lora_kernel_b"), ("lora_embeddings_a", "lora_embeddings_b"))


def add_lora(model, rank, *, alpha=None, blocks=None):
    """Adds low-rank adapters to the dense, einsum-dense and embedding layers of a model's backbone.

    Hu et al. 2021 (https://arxiv.org/abs/2106.09685, section 4.1): W becomes W + alpha / rank * A B, where B starts at
    zero, so that the outputs of the model do not change at first. Only A and B of the backbone are trainable from then
    on; kernels, biases and normalization stay frozen (see `freeze_beside_lora`). The whole head stays trainable. A
    layer gets no adapter when A and B would be no smaller than its kernel. For a kernel of more than two axes, as in
    attention, A covers all axes but the last: Keras's choice, with more parameters than the paper's matrices.

    Compile a compiled model again, and call `make_predict_function(force=True)` on a model that has predicted:
    functions traced before ignore the adapters.

    Args:
        model: any built `keras.Model`. Its head is the block `head`, or else the last layer with weights.
        rank: columns of A and rows of B, at least 1, such as 8.
        alpha: scale of the addition, above 0; None for `rank`, a scale of 1.
        blocks: list of the names of the blocks that get adapters; None for all but the head.

    Returns:
        List of the paths of the adapted kernels.

    Raises:
        InputError: `rank` or `alpha` is out of range, a block is unknown, no layer can be adapted, or the model already
            has LoRA.
    """
    if rank < 1 or rank % 1:
        raise InputError(f"lora_rank is {rank}, expected a whole number, at least 1, such as 8.")
    if alpha is not None and not 0 < alpha < math.inf:
        raise InputError(f"lora_alpha is {alpha}, expected a number above 0, or None for the rank.")
    if _adapted_layers(model):
        raise InputError("The model has LoRA already: merge it with merge_lora before adding it again.")
    candidates = _adaptable_layers(model, blocks)
    layers = [layer for layer in candidates if rank <= _max_rank(layer)]
    if not layers:
        raise _nothing_to_adapt(model, rank, candidates)
    for layer in layers:
        layer.enable_lora(int(rank), lora_alpha=alpha)
    freeze_beside_lora(model)
    return [_base(layer).path for layer in layers]


def freeze_beside_lora(model):
    """Freezes the backbone except for its LoRA adapters; changes nothing in a model without adapters.

    Call it after `trainable` was set layer by layer, which unfreezes the kernels as well. Adapters in frozen layers
    stay frozen. The head does not change.

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
    """Merges the adapters of a model into its kernels and removes them, in place.

    The outputs stay the same up to rounding, and neither weights nor configuration mention LoRA afterwards. Variables
    that LoRA froze follow the `trainable` of their layer again. Functions compiled before, and models that share the
    layers, stay correct; compile the model again to continue training.

    Args:
        model: any built `keras.Model`; one without LoRA does not change.

    Returns:
        Number of merged layers.
    """
    layers = _adapted_layers(model)
    # Keras 3.15.1 collects garbage for every variable deleted from a layer, a quarter of a second each.
    with quick_collection():
        for layer in layers:
            _merge(layer)
    if layers:
        for part in flatten_layers(model):
            for variable in part._trainable_variables:
                variable.trainable = part.trainable
    return len(layers)


def _merge(layer):
    base, (a, b) = _base(layer), _adapters(layer)
    addition = layer.lora_alpha / layer.lora_rank * np.matmul(a.numpy(), b.numpy(), dtype="float64")
    base.assign(base.numpy() + addition)
    # Functions and models that still refer to the adapters then add zero.
    b.assign(np.zeros(b.shape))
    for name in _adapter_names(layer):
        delattr(layer, name)
    layer.lora_enabled, layer.lora_rank, layer.lora_alpha = False, None, None


def _adaptable_layers(model, blocks):
    backbone = _backbone_blocks(model)
    for block in blocks or ():
        if block not in backbone:
            raise unknown_name("LoRA block", block, backbone)
    members = [layer for block in blocks or backbone for layer in backbone[block]]
    parts = {id(part): part for layer in members for part in flatten_layers(layer)}
    return [part for part in parts.values() if _is_adaptable(part)]


def _is_adaptable(layer):
    if not isinstance(layer, ADAPTABLE) or not layer.weights or layer.quantization_mode:
        return False
    return _base(layer).constraint is None


def _nothing_to_adapt(model, rank, candidates):
    if not candidates:
        return InputError(
            f"LoRA finds nothing to adapt in the backbone of {model.name!r}, which has no dense layers: take "
            "convnext_tiny, a vision transformer of KerasHub or a text model, or leave out lora_rank."
        )
    return InputError(
        f"lora_rank is {rank}: its adapters would be no smaller than the kernels they replace; give at most "
        f"{max(map(_max_rank, candidates))}."
    )


def _max_rank(layer):
    """Computes the maximum rank for which rank * (rows + columns) < rows * columns."""
    *leading, columns = _base(layer).shape
    rows = math.prod(leading)
    return (rows * columns - 1) // (rows + columns)


def _adapted_layers(model):
    return [part for part in flatten_layers(model) if isinstance(part, ADAPTABLE) and part.lora_enabled]


def _base(layer):
    return next(getattr(layer, name) for name in BASES if hasattr(layer, name))


def _adapter_names(layer):
    return next(names for names in ADAPTERS if hasattr(layer, names[0]))


def _adapters(layer):
    return [getattr(layer, name) for name in _adapter_names(layer)]


def _backbone_blocks(model):
    head = head_of(model)
    return {name: layers for name, layers in layers_by_block(model).items() if name not in head}
