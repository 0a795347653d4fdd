import keras
import pytest

from tests.transfer.tiny_models import blocks_model
from tl_keras.errors import InputError
from tl_keras.phases import Phase, Plateau
from tl_keras.transfer.phase_optimizer import check_steps, innermost_optimizer, optimizer_over, unbuilt_copy
from tl_keras.transfer.staged_adamw import StagedAdamW

PLATEAU = Phase("head", until=Plateau(), epochs=9)


@pytest.mark.parametrize("wrap", [lambda inner: inner, keras.optimizers.LossScaleOptimizer], ids=["plain", "scaled"])
def test_a_copied_optimizer_keeps_its_weight_decay_exclusions(wrap):
    model = blocks_model()
    kernel, *others = model.trainable_variables
    inner = StagedAdamW(2e-3, weight_decay=0.5)
    inner.exclude_from_weight_decay([kernel])
    optimizer = wrap(inner)
    optimizer.build(others)
    copy = optimizer_over(optimizer, model.trainable_variables)
    assert copy is not optimizer and type(copy) is type(optimizer)
    inner_copy = innermost_optimizer(copy)
    assert (inner_copy.weight_decay, float(inner_copy.learning_rate)) == pytest.approx((0.5, 2e-3))
    decaying = [inner_copy._decays(number) for number in range(len(model.trainable_variables))]
    assert decaying == [False, False, False, True, False, False, True, False]


def test_an_optimizer_over_the_same_variables_is_returned_unchanged():
    model, optimizer = blocks_model(), StagedAdamW()
    assert optimizer_over(optimizer, model.trainable_variables) is optimizer
    assert optimizer_over(optimizer, model.trainable_variables) is optimizer


def test_a_copy_applies_changed_settings():
    scaled = keras.optimizers.LossScaleOptimizer(StagedAdamW(1e-3, weight_decay=0.5))
    copy = unbuilt_copy(scaled, {"learning_rate": 1e-5})
    assert float(copy.inner_optimizer.learning_rate) == pytest.approx(1e-5)
    assert copy.inner_optimizer.weight_decay == 0.5


@pytest.mark.parametrize(
    ("phase", "steps", "may_end", "message"),
    [
        (Phase("head", epochs=2), 4, False, ""),
        (
            Phase("head", epochs=2),
            3,
            False,
            "'head' may end after 6 .* one step accumulates the gradients of 8",
        ),
        (Phase("head", epochs=2), 4, True, "may end after 4 batches"),
        (PLATEAU, 7, False, "may end after 7 batches"),
        (PLATEAU, 8, True, ""),
    ],
)
def test_a_phase_that_may_end_before_its_first_step_is_refused(phase, steps, may_end, message):
    optimizer = keras.optimizers.LossScaleOptimizer(StagedAdamW(gradient_accumulation_steps=8))
    if not message:
        check_steps(optimizer, [phase], steps, may_end)
        return
    with pytest.raises(InputError, match=message):
        check_steps(optimizer, [phase], steps, may_end)
    check_steps(StagedAdamW(), [phase], 1, may_end)
