import functools
import os
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tl_keras.callbacks.checkpoints import CheckpointEachEpoch, restore_newest
from tl_keras.errors import InputError
from tl_keras.phases import Phase
from tl_keras.transfer.staged_adamw import StagedAdamW
from tl_keras.transfer.unfreezing import ProgressiveUnfreezing

PHASES = [Phase("head", epochs=2), Phase("all", epochs=3, block_decay=0.5)]
EPOCHS, STEPS, BATCH = 5, 3, 4
FEATURES = np.random.default_rng(0).normal(size=(STEPS * BATCH, 6)).astype("float32")
TARGETS = FEATURES[:, :1] * FEATURES[:, 1:2]
SETTINGS = {
    "plain": {},
    "dropout": {"dropout": 0.5},
    "everything": {"dropout": 0.5, "use_ema": True, "gradient_accumulation_steps": 2},
}


class Kill(keras.callbacks.Callback):
    """Interrupts a run in the middle of an epoch, or after the last one."""

    def __init__(self, epoch):
        super().__init__()
        self.doomed = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.doomed and batch == 1:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 == EPOCHS == self.doomed:
            raise KeyboardInterrupt


def build_model(seed, dropout=0.0, **options):
    """A model whose start and random generators differ from seed to seed."""
    keras.utils.set_random_seed(seed)
    inputs = layers.Input((6,))
    x = layers.Dense(8, activation="tanh", name="block1.dense")(inputs)
    x = layers.Dropout(dropout, name="block1.dropout")(x)
    x = layers.BatchNormalization(name="block2.norm")(x)
    model = keras.Model(inputs, layers.Dense(1, name="head.output")(x))
    model.compile(StagedAdamW(1e-2, **options), "mse", metrics=["mae"])
    return model


def fit(model, unfreezing, *callbacks, first_epoch=0):
    """Trains on data whose order is a function of the epoch alone."""
    orders = [np.random.default_rng(epoch).permutation(len(FEATURES)) for epoch in range(first_epoch, EPOCHS)]
    order = np.concatenate([*orders, range(len(FEATURES))])
    dataset = tf.data.Dataset.from_tensor_slices((FEATURES[order], TARGETS[order])).batch(BATCH)
    epochs = {"steps_per_epoch": STEPS, "initial_epoch": first_epoch, "epochs": EPOCHS}
    return model.fit(dataset, **epochs, callbacks=[unfreezing, *callbacks], verbose=0).history


def train(model, folder, *callbacks):
    """Trains from the newest checkpoint on, and gives the epochs done before and the history of all."""
    unfreezing = ProgressiveUnfreezing(PHASES, "train")
    unfreezing.prepare(model)
    epochs_done, history = restore_newest(folder, model, unfreezing)
    fit(model, unfreezing, CheckpointEachEpoch(folder, history, unfreezing, model), *callbacks, first_epoch=epochs_done)
    return epochs_done, history


def state(model):
    """Every bit that the rest of a run depends on: weights, random generators, the optimizer."""
    variables = [variable for layer in model.layers for variable in layer.variables]
    return [variable.numpy().tobytes() for variable in (*variables, *model.optimizer.variables)]


@functools.cache
def undisturbed(setting):
    model = build_model(0, **SETTINGS[setting])
    return fit(model, ProgressiveUnfreezing(PHASES, "train")), state(model)


@pytest.mark.parametrize(
    ("setting", "epoch"),
    [("plain", 2), *(("dropout", epoch) for epoch in range(1, 6)), ("everything", 4), ("everything", 5)],
)
def test_an_interrupted_run_ends_bit_identical(setting, epoch, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(build_model(0, **SETTINGS[setting]), tmp_path, Kill(epoch))
    resumed = build_model(99 if epoch > PHASES[0].epochs else 0, **SETTINGS[setting])
    for weight in resumed.get_layer("head.output").weights:
        weight.assign(weight + 1)
    epochs_done, history = train(resumed, tmp_path)
    assert epochs_done == epoch
    assert (history, state(resumed)) == undisturbed(setting)


def test_what_no_phase_has_touched_is_not_written(tmp_path):
    train(build_model(0), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(build_model(0), tmp_path / "head", Kill(1))
    [head], [*_, whole] = ((tmp_path / name).glob("*.npz") for name in ("head", "whole"))
    with np.load(head) as early, np.load(whole) as late:
        weights = sorted(early[name].size for name in early.files if name.startswith("model-"))
        assert [size for size in weights if size > 2] == [8]
        # Of the head, two moments of each of two variables are kept; of all, two of each of six.
        assert len([name for name in late.files if name.startswith("optimizer-")]) == 8 + len(
            [name for name in early.files if name.startswith("optimizer-")]
        )


@pytest.fixture(scope="module")
def interrupted_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    with pytest.raises(KeyboardInterrupt):
        train(build_model(0), folder, Kill(3))
    return folder


@pytest.fixture
def interrupted(interrupted_once, tmp_path):
    return shutil.copytree(interrupted_once, tmp_path / "checkpoints")


def prepared(seed, phases=PHASES):
    model, unfreezing = build_model(seed), ProgressiveUnfreezing(phases, "train")
    unfreezing.prepare(model)
    return model, unfreezing


def test_the_newest_two_checkpoints_are_kept_and_nothing_else(interrupted):
    assert sorted(os.listdir(interrupted)) == ["epoch-00002.npz", "epoch-00003.npz"]


@pytest.mark.parametrize("missing", [False, True])
def test_without_a_checkpoint_the_run_begins_anew(tmp_path, missing):
    model, unfreezing = prepared(0)
    before = state(model)
    assert restore_newest(tmp_path / "absent" if missing else tmp_path, model, unfreezing) == (0, {})
    assert state(model) == before


def truncate(data):
    return data[: len(data) // 2]


def flip_a_bit(data):
    # Of the state's text, as NumPy stores it: most headers of the file tell nothing that is read.
    place = data.index("epochs".encode("utf-32-le"))
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def lose_an_array(data):
    return data.replace(b"optimizer-3.npy", b"optimizer-X.npy")


def encrypt(data):
    """Sets the flag in the directory that makes zipfile ask for a password."""
    position = data.index(b"PK\1\2") + 8
    return data[:position] + b"\1" + data[position + 1 :]


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, lose_an_array, encrypt, lambda data: b""])
def test_a_damaged_newest_checkpoint_falls_back_to_the_older(interrupted, damage):
    newest, (model, unfreezing), (reference, other) = interrupted / "epoch-00003.npz", prepared(99), prepared(98)
    newest.write_bytes(damage(newest.read_bytes()))
    epochs, history = restore_newest(interrupted, model, unfreezing)
    newest.unlink()
    assert (epochs, history) == restore_newest(interrupted, reference, other)
    assert epochs == 2
    assert state(model) == state(reference)


def test_when_all_are_damaged_no_variable_is_touched(interrupted):
    for path in interrupted.iterdir():
        path.write_bytes(lose_an_array(path.read_bytes()))
    model, unfreezing = prepared(99)
    before = state(model)
    assert restore_newest(interrupted, model, unfreezing) == (0, {})
    assert state(model) == before


def test_a_failing_write_leaves_the_older_checkpoints_alone(interrupted, monkeypatch):
    before = {path.name: path.read_bytes() for path in interrupted.iterdir()}

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="No space left"):
        train(build_model(0), interrupted)
    assert {path.name: path.read_bytes() for path in interrupted.iterdir()} == before


def test_a_checkpoint_of_another_shape_is_passed_over(tmp_path, capsys):
    def model(units):
        inputs = keras.Input((2,))
        built = keras.Model(inputs, keras.layers.Dense(units, name="head.output")(inputs))
        built.compile(StagedAdamW(), "mse")
        unfreezing = ProgressiveUnfreezing(PHASES[:1])
        unfreezing.prepare(built)
        return built, unfreezing

    built, unfreezing = model(3)
    CheckpointEachEpoch(tmp_path, {}, unfreezing, built).on_epoch_end(0, {"loss": 1.0})
    assert restore_newest(tmp_path, *model(4)) == (0, {})
    assert "passed over" in capsys.readouterr().out
    assert restore_newest(tmp_path, *model(3)) == (1, {"loss": [1.0]})


def test_what_never_changes_is_not_saved_but_must_be_the_same(tmp_path):
    def of_head(seed):
        model, unfreezing = build_model(seed, dropout=0.5), ProgressiveUnfreezing(PHASES[:1])
        unfreezing.prepare(model)
        return model, unfreezing

    model, unfreezing = of_head(0)
    CheckpointEachEpoch(tmp_path, {}, unfreezing, model).on_epoch_end(0)
    sizes = [array.size for name, array in np.load(tmp_path / "epoch-00001.npz").items() if name.startswith("model")]
    # The head's kernel and bias, and the state of the dropout in the frozen block.
    assert sorted(sizes) == [1, 2, 8]
    with pytest.raises(InputError, match="pretrained weights are other ones"):
        restore_newest(tmp_path, *of_head(1))
