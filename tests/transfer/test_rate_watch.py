from types import SimpleNamespace

import keras
import pytest

from tests.transfer.tiny_models import IMAGES, LABELS, blocks_model, compiled
from tl_keras.errors import InputError
from tl_keras.phases import Phase
from tl_keras.transfer.rate_watch import RateWatch
from tl_keras.transfer.staged_adamw import StagedAdamW
from tl_keras.transfer.unfreezing import ProgressiveUnfreezing


def optimizer(rate):
    return SimpleNamespace(learning_rate=rate)


def watch_after_an_epoch(rate=1e-3):
    watch = RateWatch(optimizer(rate))
    assert watch.reduction(optimizer(rate), 0) == 1.0
    return watch


def test_a_rate_between_two_epochs_is_a_reduction(capsys):
    assert watch_after_an_epoch().reduction(optimizer(2e-4), 0) == pytest.approx(0.2)
    assert "learning rates: × 0.2 from here on" in capsys.readouterr().out


@pytest.mark.parametrize(("rate", "batch"), [(2e-3, 0), (2e-4, 1)], ids=["raised", "within an epoch"])
def test_any_other_rate_is_refused(rate, batch):
    with pytest.raises(InputError, match="such as LearningRateScheduler, sets the learning rate, .* was 0.001 and is"):
        watch_after_an_epoch().reduction(optimizer(rate), batch)


def test_a_rate_before_the_first_step_is_refused():
    with pytest.raises(InputError, match="LearningRateScheduler"):
        RateWatch(optimizer(1e-3)).reduction(optimizer(1e-4), 0)


def test_rounding_is_no_reduction_and_later_steps_are_not_read():
    watch = watch_after_an_epoch()
    assert watch.reduction(optimizer(1e-3 * (1 + 1e-7)), 1) == 1.0
    assert watch.reduction(None, 2) == 1.0


class Rates(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_begin(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


def fit(*others, is_first=False):
    phases = [Phase("head", epochs=4, learning_rate=1e-2, schedule="constant", warmup=0.0), Phase("all")]
    rates, unfreezing = Rates(), ProgressiveUnfreezing(phases)
    callbacks = [*others, unfreezing] if is_first else [unfreezing, *others]
    model = compiled(blocks_model(), StagedAdamW())
    model.fit(IMAGES, LABELS, batch_size=16, epochs=5, verbose=0, callbacks=[*callbacks, rates])
    return rates.rates


@pytest.mark.parametrize("is_first", [True, False])
def test_reduce_lr_on_plateau_reduces_the_rates_of_the_phases(is_first):
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.1, patience=1, min_delta=100.0)
    rates = fit(plateau, is_first=is_first)
    assert rates[:4] == pytest.approx([1e-2, 1e-2, 1e-3, 1e-4])
    assert rates[4] < 1e-3 * 1e-3 * 2


@pytest.mark.parametrize("is_first", [True, False])
def test_a_learning_rate_scheduler_is_refused_before_the_first_step(is_first):
    with pytest.raises(InputError, match="such as LearningRateScheduler"):
        fit(keras.callbacks.LearningRateScheduler(lambda epoch: 0.5), is_first=is_first)
