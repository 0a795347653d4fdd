"""The freeze audit: proof, after a phase, that frozen blocks stayed bit-identical and that learning blocks moved."""

import hashlib

import numpy as np

from tl_keras.transfer.freezing import changeable_variables, variables_by_block


def bytes_of(variable):
    """Gives the value of a `keras.Variable` as a flat array of uint8, which hashes read without copying it again."""
    # ascontiguousarray makes a row of a scalar; the buffer of bfloat16 is of a kind that hashlib does not know.
    return np.ascontiguousarray(variable.numpy()).reshape(-1).view(np.uint8)


class FreezeViolation(RuntimeError):
    """A frozen variable changed, or a block that should learn did not move."""


class FreezeAudit:
    """Compares every weight of a model, statistics included, before and after a phase.

    Create it when the flags of the phase are set and before its first step.

    Args:
        model: built `keras.Model`.
        learning: list of the blocks that learn in the phase.
    """

    def __init__(self, model, learning):
        self._blocks = variables_by_block(model)
        self._learning = learning
        self._changeable = {id(variable) for variable in changeable_variables(model)}
        self._before = self._fingerprints()

    def finish(self):
        """Looks again and compares.

        Returns:
            Dict with numbers of variables: "frozen" (all bit-identical) and "moved".

        Raises:
            FreezeViolation: a frozen variable changed or no variable of a learning block did; the message names it.
        """
        moved = {key for key, digest in self._fingerprints().items() if digest != self._before[key]}
        for block, variables in self._blocks.items():
            for variable in variables:
                if id(variable) in moved - self._changeable:
                    raise FreezeViolation(f"The frozen variable {variable.path!r} of block {block!r} changed.")
            able = {id(variable) for variable in variables if variable.trainable}
            if block in self._learning and able and able.isdisjoint(moved):
                raise FreezeViolation(f"Block {block!r} should learn, but none of its {len(able)} variables moved.")
        return {"frozen": len(self._before.keys() - self._changeable), "moved": len(moved)}

    def _fingerprints(self):
        return {
            id(variable): hashlib.sha256(bytes_of(variable)).digest()
            for variables in self._blocks.values()
            for variable in variables
        }
