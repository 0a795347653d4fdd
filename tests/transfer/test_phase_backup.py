import keras
import numpy as np
import pytest

from tests.transfer.tiny_models import IMAGES, LABELS, blocks_model, compiled, same_bits, values
from tl_keras.phases import Phase, Plateau
from tl_keras.transfer.phase_backup import ATTRIBUTE
from tl_keras.transfer.staged_adamw import StagedAdamW
from tl_keras.transfer.unfreezing import ProgressiveUnfreezing

PHASES = [
    Phase("head", epochs=6, learning_rate=0.5, until=Plateau("val_loss", patience=1), restore_best=True),
    Phase("all", epochs=2, learning_rate=1e-2),
]


class Stop(keras.callbacks.Callback):
    """Interrupts `fit` at the start of an epoch, as a signal would."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def fit(*others, is_first=True):
    model, unfreezing = compiled(blocks_model(), StagedAdamW()), ProgressiveUnfreezing(PHASES)
    callbacks = [unfreezing, *others] if is_first else [*others, unfreezing]
    data = {"x": IMAGES, "y": LABELS, "validation_data": (IMAGES[:8], LABELS[:8]), "batch_size": 8}
    model.fit(**data, epochs=8, shuffle=False, verbose=0, callbacks=callbacks)
    return model, unfreezing


@pytest.fixture(scope="module")
def uninterrupted():
    return fit()


@pytest.mark.parametrize("is_first", [True, False], ids=["callback first", "backup first"])
@pytest.mark.parametrize(
    "after_the_end", [pytest.param(-1, marks=pytest.mark.slow), 0, pytest.param(1, marks=pytest.mark.slow)]
)
def test_a_backup_resumes_bit_for_bit(uninterrupted, after_the_end, is_first, tmp_path):
    whole, unfreezing = uninterrupted
    end = unfreezing.state["ends"][0]
    assert unfreezing.plan[0]["ended_by"] == "plateau"

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)

    with pytest.raises(KeyboardInterrupt):
        fit(backup(), Stop(end + after_the_end), is_first=is_first)
    resumed, again = fit(backup(), is_first=is_first)
    assert again.state["ends"] == unfreezing.state["ends"]
    assert all(map(same_bits, values(resumed.variables), values(whole.variables)))
    assert all(map(same_bits, values(resumed.optimizer.variables), values(whole.optimizer.variables)))


@pytest.mark.usefixtures("eager")
def test_weight_files_without_the_state_are_read(uninterrupted, tmp_path):
    path = tmp_path / "plain.weights.h5"
    uninterrupted[0].save_weights(path)

    class Load(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.model.load_weights(path)

    assert fit(Load())[1].state["ends"]


@pytest.mark.usefixtures("eager")
def test_a_model_saved_during_fit_opens_and_one_saved_afterwards_has_no_trace(uninterrupted, tmp_path):
    model, _ = fit(keras.callbacks.ModelCheckpoint(tmp_path / "model.keras"))
    assert not hasattr(model, ATTRIBUTE)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0))
