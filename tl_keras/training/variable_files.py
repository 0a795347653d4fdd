"""All variables of a model in a file, so that an interrupted adaptation does not repeat what it has trained."""

import json
import os

import numpy as np

from tl_keras.system.atomic_files import atomic_path, create_folder
from tl_keras.system.json_files import parse_json
from tl_keras.system.stored.arrays import are_alike, read_arrays


def variable_values(model):
    """Returns the values of all variables, also the random generator states that `get_weights` leaves out.

    Args:
        model: `keras.Model`.

    Returns:
        List of arrays.
    """
    return [np.asarray(variable) for variable in model.variables]


def assign_values(model, values):
    """Assigns values to all variables of a model.

    Args:
        model: `keras.Model`.
        values: what `variable_values` returned for a model of the same architecture.
    """
    for variable, value in zip(model.variables, values, strict=True):
        variable.assign(value)


def write_values(path, values, facts):
    """Writes values and facts about them to a file, whole or not at all.

    Args:
        path: file ending in .npz; its folder is created.
        values: list of arrays.
        facts: dict ready for JSON.
    """
    create_folder(path.parent)
    arrays = {f"value-{number}": value for number, value in enumerate(values)}
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays, facts=np.array(json.dumps(facts)))


def read_values(path, like, names):
    """Reads what `write_values` wrote.

    Args:
        path: the file.
        like: list of arrays, of the shapes and types that its own must have.
        names: names of the facts that it must hold, each a number.

    Returns:
        Tuple of the list of arrays and the facts; None if the file does not exist, is damaged or of another model.
    """
    if not os.path.lexists(path):
        return None
    arrays = read_arrays(path, [*(f"value-{number}" for number in range(len(like))), "facts"])
    try:
        if arrays is not None:
            *values, facts = arrays.values()
            facts = parse_json(str(facts))
            if are_alike(values, like) and _are_numbers(facts, names):
                return values, facts
    except (ValueError, RecursionError):
        # As for damaged arrays.
        pass
    print(f"{path} is damaged: it is computed again", flush=True)
    return None


def _are_numbers(facts, names):
    """Checks what the run computes with, since whoever made the folder may have written anything."""
    return isinstance(facts, dict) and facts.keys() == set(names) and {*map(type, facts.values())} <= {int, float}
