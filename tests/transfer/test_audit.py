import numpy as np
import pytest

from tests.transfer.tiny_models import blocks_model, sequential_model
from tl_keras.transfer.audit import FreezeAudit, FreezeViolation
from tl_keras.transfer.freezing import freeze_to


def audited(train, batch_norm="inference", build=blocks_model):
    model = build()
    return model, FreezeAudit(model, freeze_to(model, train, batch_norm))


def move(model, *paths):
    for variable in model.weights:
        if variable.path.endswith(paths):
            variable.assign_add(np.full(variable.shape, 1e-6, "float32"))


def test_a_valid_phase_returns_counts():
    model, audit = audited("head")
    move(model, "head.logits/kernel")
    assert audit.finish() == {"frozen": 10, "moved": 1}


@pytest.mark.parametrize(
    ("batch_norm", "path"),
    [
        ("train", "block1.conv/kernel"),
        ("train", "block1.norm/moving_mean"),
        ("inference", "block2.norm/moving_variance"),
        ("inference", "block2.norm/gamma"),
    ],
)
def test_a_changed_frozen_variable_is_named(batch_norm, path):
    model, audit = audited("block2", batch_norm)
    move(model, "block2.conv/kernel", "head.logits/kernel", path)
    with pytest.raises(FreezeViolation, match=f"The frozen variable '{path}' of block '{path[:6]}' changed"):
        audit.finish()


def test_negative_zero_is_a_change():
    model, audit = audited("head")
    move(model, "head.logits/kernel")
    model.get_layer("block1.norm").beta.assign(-np.zeros(4, "float32"))
    with pytest.raises(FreezeViolation, match="block1.norm/beta"):
        audit.finish()


def test_statistics_of_a_trainable_block_may_change():
    model, audit = audited("block2", "train")
    move(model, "block2.conv/kernel", "block2.norm/moving_mean", "head.logits/bias")
    assert audit.finish() == {"frozen": 5, "moved": 3}


@pytest.mark.parametrize("moved", [(), ("head.logits/kernel",)])
def test_a_trainable_block_that_did_not_move_is_reported(moved):
    model, audit = audited("block2")
    move(model, *moved)
    audit.finish()
    assert [variable.path for variable in audit.unmoved["block2"]] == ["block2.conv/kernel"]


def test_changed_statistics_alone_do_not_count_as_moved():
    model, audit = audited(["block2"], "train")
    move(model, "block2.norm/moving_mean")
    audit.finish()
    assert list(audit.unmoved) == ["block2"]


def test_blocks_without_trainable_weights_need_not_move():
    model, audit = audited("all", build=sequential_model)
    move(model, "features/kernel", "logits/kernel")
    assert (audit.finish()["moved"], audit.unmoved) == (2, {})
