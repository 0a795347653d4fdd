"""Memory that the tensors of a model take for one example, and the batch that fits into that of the machine."""

import math
import os
from dataclasses import dataclass
from pathlib import Path

import keras

from tl_keras.errors import InputError
from tl_keras.models.saved.inner_tensors import largest_inside

MEMORY_SHARE = 0.5
"""Share of the machine's memory that the tensors of a batch may take."""
BYTES_PER_ELEMENT = 4
KEPT_TENSORS = 5
"""How many tensors of the largest size are alive at once: an input, an output and what computes it, as GELU and layer
normalization take three between them."""


@dataclass(frozen=True)
class TensorSizes:
    """Counts the elements of the tensors that a model computes for one example; unknown dimensions count as 1.

    Attributes:
        largest: the largest tensor, those inside of layers included.
        at_once: maximum of the tensors that are needed at the same time.
        total: all tensors of the graph, which stay until the end where it is not traced.
    """

    largest: int
    at_once: int
    total: int


def measure_tensors(model):
    """Counts the elements of the tensors of a model, and of those inside of its layers.

    Args:
        model: functional or sequential `keras.Model`, built from shapes alone or with weights.

    Returns:
        `TensorSizes`.

    Raises:
        ValueError: an operation multiplies the number of examples, so that no tensor is for one example.
    """
    if isinstance(model, keras.Sequential):
        model = model._functional
    nodes = [node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]]
    last_uses = {id(tensor): place for place, node in enumerate(nodes) for tensor in node.input_tensors}
    last_uses |= dict.fromkeys(map(id, model.outputs), len(nodes))
    largest = at_once = total = alive = 0
    for place, node in enumerate(nodes):
        inside = _measure_inside(node)
        sizes = list(map(_elements, node.output_tensors))
        alive, total = alive + sum(sizes), total + sum(sizes) + inside.total
        at_once = max(at_once, alive + inside.at_once)
        largest = max([largest, inside.largest, *sizes])
        done = {id(tensor): tensor for tensor in (*node.input_tensors, *node.output_tensors)}
        alive -= sum(_elements(tensor) for key, tensor in done.items() if last_uses.get(key, place) == place)
    return TensorSizes(largest, max(at_once, KEPT_TENSORS * largest), total)


def _elements(tensor):
    return math.prod(side or 1 for side in tensor.shape)


def _measure_inside(node):
    if isinstance(node.operation, keras.Model):
        return measure_tensors(node.operation)
    _refuse_more_examples(node.operation, node)
    return TensorSizes(*[largest_inside(node.operation, node)] * 3)


def affordable_batch(model, batch_size):
    """Chooses the number of examples that a saved model computes at once.

    Args:
        model: `keras.Model`.
        batch_size: number that the configuration of its run asks for.

    Returns:
        The same, or fewer whose tensors fit into `MEMORY_SHARE` of the memory.

    Raises:
        InputError: a single example does not fit.
    """
    needed = BYTES_PER_ELEMENT * measure_tensors(model).at_once
    available = MEMORY_SHARE * memory_bytes()
    if needed > available:
        raise InputError(
            f"The model needs {needed / 1e9:.1f} GB for one example, more than {MEMORY_SHARE:.0%} of the memory of "
            f"this machine, {available / 1e9:.1f} GB: use a machine with more memory."
        )
    return max(1, min(batch_size, int(available // max(needed, 1))))


def fits_untraced(model, num_examples):
    """Returns whether a model may compute a batch without being traced, which keeps all tensors until the end.

    Args:
        model: `keras.Model`.
        num_examples: number of examples of the batch.
    """
    return num_examples * BYTES_PER_ELEMENT * measure_tensors(model).total <= MEMORY_SHARE * memory_bytes()


def memory_bytes():
    """Returns the bytes of memory of this machine, or those that this process or container may still take if fewer.

    What the process has by now counts for its own limits: TensorFlow alone takes most of a gigabyte, and where a limit
    is reached, it is killed instead of raising an error.
    """
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else math.inf
    try:
        # Windows has no limits of this kind.
        import resource
    except ImportError:
        return total
    kinds = zip((resource.RLIMIT_AS, resource.RLIMIT_DATA), used_bytes(), strict=True)
    limits = [(resource.getrlimit(kind)[0], used) for kind, used in kinds]
    left = [max(0, limit - used) for limit, used in limits if limit != resource.RLIM_INFINITY]
    return min([total, *left, *group_limits()])


def used_bytes(path=Path("/proc/self/statm")):
    """Measures what the limits of this process count.

    Args:
        path: `Path` of the file in which Linux shows it.

    Returns:
        Tuple of the bytes of its addresses and of its data; zeros on other systems.
    """
    if not path.is_file():
        return 0, 0
    pages = path.read_text().split()
    return int(pages[0]) * os.sysconf("SC_PAGE_SIZE"), int(pages[5]) * os.sysconf("SC_PAGE_SIZE")


def group_limits(mount=Path("/sys/fs/cgroup"), groups=Path("/proc/self/cgroup")):
    """Lists the limits on memory of the control groups that this process is in, as containers set them.

    Args:
        mount: `Path` where the system shows its control groups.
        groups: `Path` of the file that names those of this process.

    Returns:
        List of bytes, perhaps empty.
    """
    lines = groups.read_text().splitlines() if groups.is_file() else []
    names = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    folders = [folder for name in names for folder in (mount / name, *(mount / name).parents)]
    # In a container the groups are at the top, whatever their names; the second file is that of older systems.
    files = [*(folder / "memory.max" for folder in folders), mount / "memory" / "memory.limit_in_bytes"]
    texts = [file.read_text().strip() for file in files if file.is_file()]
    return [int(text) for text in texts if text.isdecimal()]


def _refuse_more_examples(operation, node):
    """Refuses operations along the first axis, whose outputs have an unknown number of rows, as their inputs do."""
    name = type(operation).__name__
    rank = len(node.output_tensors[0].shape) if node.output_tensors else 0
    axis = getattr(operation, "axis", None)
    is_first = axis is None or (isinstance(axis, int) and axis % max(rank, 1) == 0)
    repeats = getattr(operation, "repeats", ())
    if name == "Tile":
        multiplies = isinstance(repeats, int) or (len(repeats) >= rank and repeats[0] != 1)
    else:
        multiplies = name in ("Repeat", "Concatenate", "Stack") and is_first
    if multiplies or (name == "Pad" and _pads_first(operation, rank)):
        raise ValueError(f"{name} multiplies the number of examples")


def _pads_first(operation, rank):
    widths = operation.pad_width
    # A single width is for all axes.
    return len(widths) in (1, rank) and any(widths[0])
