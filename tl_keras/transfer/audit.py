"""Freeze audit: verifies after a phase that frozen weights are bit-identical, and finds blocks that did not move."""

import hashlib

import numpy as np

from tl_keras.transfer.freezing import changeable_variables, variables_by_block


def bytes_of(variable):
    """Returns the value of a `keras.Variable` as a flat uint8 array, which hashlib reads without a copy."""
    # ascontiguousarray turns a scalar into a row; hashlib does not support the buffer of a bfloat16 array.
    return np.ascontiguousarray(variable.numpy()).reshape(-1).view(np.uint8)


class FreezeViolation(RuntimeError):
    """Signals that a frozen variable changed."""


class FreezeAudit:
    """Compares every weight of a model, including statistics, before and after a phase.

    Create it after the phase has set the `trainable` flags (see `freeze_to`) and before its first step, and call
    `finish` after its last step.

    Args:
        model: built `keras.Model`.
        trainable: list of block names that should have moved at the end, a subset of `block_names(model)`. Blocks that
            are trainable but not listed may move and need not; an empty list only checks the frozen variables.

    Attributes:
        unmoved: dict from each listed block of which no variable has moved to its trainable variables, after `finish`.
    """

    def __init__(self, model, trainable):
        self._blocks = variables_by_block(model)
        self._trainable = trainable
        self.unmoved = {}
        self._changeable = {id(variable) for variable in changeable_variables(model)}
        self._before = self._fingerprints()

    def finish(self):
        """Compares the weights with those at the start of the phase.

        Returns:
            Dict with two numbers of variables: "frozen" (all bit-identical) and "moved".

        Raises:
            FreezeViolation: a frozen variable changed; the message names it.
        """
        moved = {key for key, digest in self._fingerprints().items() if digest != self._before[key]}
        for block, variables in self._blocks.items():
            for variable in variables:
                if id(variable) in moved - self._changeable:
                    raise FreezeViolation(f"The frozen variable {variable.path!r} of block {block!r} changed.")
            trainable = [variable for variable in variables if variable.trainable]
            if block in self._trainable and trainable and moved.isdisjoint(map(id, trainable)):
                self.unmoved[block] = trainable
        return {"frozen": len(self._before.keys() - self._changeable), "moved": len(moved)}

    def _fingerprints(self):
        return {
            id(variable): hashlib.sha256(bytes_of(variable)).digest()
            for variables in self._blocks.values()
            for variable in variables
        }
