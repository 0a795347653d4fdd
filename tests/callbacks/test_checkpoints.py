import contextlib
import functools
import os
import shutil
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.eager_functions import eager_functions
from tl_keras.callbacks.checkpoints import NotFinite, SaveCheckpoints
from tl_keras.callbacks.restoring import Progress, restore_newest
from tl_keras.errors import InputError
from tl_keras.phases import Phase
from tl_keras.system.durations import Interval
from tl_keras.system.interruption import Interrupted, StopSignals
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

    def __init__(self, epoch, batch=1):
        super().__init__()
        self.target, self.batch = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.target and batch == self.batch:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 == EPOCHS == self.target:
            raise KeyboardInterrupt


def build_model(seed, dropout=0.0, **options):
    """Builds a model whose weights and random generators depend on the seed."""
    keras.utils.set_random_seed(seed)
    inputs = layers.Input((6,))
    x = layers.Dense(8, activation="tanh", name="block1.dense")(inputs)
    x = layers.Dropout(dropout, name="block1.dropout")(x)
    x = layers.BatchNormalization(name="block2.norm")(x)
    model = keras.Model(inputs, layers.Dense(1, name="head.output")(x))
    model.compile(StagedAdamW(1e-2, **options), "mse", metrics=["mae"])
    return model


def fit(model, unfreezing, *callbacks, first_epoch=0, inputs=FEATURES):
    """Trains on data whose order depends only on the epoch."""
    orders = [np.random.default_rng(epoch).permutation(len(FEATURES)) for epoch in range(first_epoch, EPOCHS)]
    order = np.concatenate([*orders, range(len(FEATURES))])
    dataset = tf.data.Dataset.from_tensor_slices((inputs[order], TARGETS[order])).batch(BATCH)
    if unfreezing.state["steps"]:
        model.evaluate(dataset.take(1), verbose=0)
        dataset = dataset.skip(unfreezing.state["steps"])
    epochs = {"steps_per_epoch": STEPS, "initial_epoch": first_epoch, "epochs": EPOCHS}
    return model.fit(dataset, **epochs, callbacks=[unfreezing, *callbacks], verbose=0).history


def train(model, folder, *callbacks, inputs=FEATURES, **options):
    """Trains from the newest checkpoint; returns the epochs completed before and the whole history."""
    unfreezing = ProgressiveUnfreezing(PHASES, "train")
    unfreezing.prepare(model)
    progress = restore_newest(folder, model, unfreezing) or Progress()
    epochs_done = progress.epochs
    saving = SaveCheckpoints(folder, progress, unfreezing, model, **options)
    fit(model, unfreezing, saving, *callbacks, first_epoch=epochs_done, inputs=inputs)
    return epochs_done, progress.history


def state(model):
    """Returns the bytes of all weights, random generators and optimizer variables."""
    variables = [variable for layer in model.layers for variable in layer.variables]
    return [variable.numpy().tobytes() for variable in (*variables, *model.optimizer.variables)]


@pytest.fixture(autouse=True)
def graphs(request):
    """Traces graphs only to interrupt a run of all settings; the others are about files, signals and progress."""
    options = getattr(request.node, "callspec", None)
    with contextlib.nullcontext() if options and "everything" in options.params.values() else eager_functions():
        yield


def uninterrupted(setting):
    """Trains once with and once without graphs, whose results may differ in the last bit."""
    return _uninterrupted(setting, tf.config.functions_run_eagerly())


@functools.cache
def _uninterrupted(setting, _eager):
    model = build_model(0, **SETTINGS[setting])
    return fit(model, ProgressiveUnfreezing(PHASES, "train")), state(model)


@pytest.mark.parametrize(
    ("setting", "epoch"),
    [("plain", 2), ("dropout", 1), ("dropout", 3), ("everything", 4), ("everything", 5)],
)
def test_an_interrupted_run_ends_bit_identical(setting, epoch, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(build_model(0, **SETTINGS[setting]), tmp_path, Kill(epoch))
    resumed = build_model(99 if epoch > PHASES[0].epochs else 0, **SETTINGS[setting])
    for weight in resumed.get_layer("head.output").weights:
        weight.assign(weight + 1)
    epochs_done, history = train(resumed, tmp_path)
    assert epochs_done == epoch
    assert (history, state(resumed)) == uninterrupted(setting)


def test_a_signal_to_another_process_stops_this_one_after_a_checkpoint(tmp_path):
    flags = iter([[False, False, False], [False, True, False]])
    with pytest.raises(Interrupted, match="SIGTERM"), StopSignals() as signals:
        train(build_model(0), tmp_path, signals=signals, agree=lambda _: next(flags))
    [*_, newest] = sorted(tmp_path.glob("*.npz"))
    assert newest.stem == "00000-000000002"


def test_a_signal_that_other_processes_do_not_know_is_deferred(tmp_path):
    flags = iter([[False, False, True], [False, False, False], [False, True, False]])
    saving = SaveCheckpoints.save

    def receive_while_saving(self, *arguments):
        saving(self, *arguments)
        self.signals.receive(signal.SIGTERM)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Interrupted), StopSignals() as signals:
        patch.setattr(SaveCheckpoints, "save", receive_while_saving)
        train(build_model(0), tmp_path, signals=signals, agree=lambda _: next(flags))
    # Saved after the first step, and at the end of the first epoch, when all processes knew of the signal.
    assert [path.stem for path in sorted(tmp_path.glob("*.npz"))] == ["00000-000000001", "00001-000000000"]


def test_untouched_variables_are_not_saved(tmp_path):
    train(build_model(0), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(build_model(0), tmp_path / "head", Kill(1))
    [head], [*_, whole] = ((tmp_path / name).glob("*.npz") for name in ("head", "whole"))
    with np.load(head) as early, np.load(whole) as late:
        weights = sorted(early[name].size for name in early.files if name.startswith("model-"))
        assert [size for size in weights if size > 2] == [8]
        # Two moments of each of two variables in the head, and of each of six variables in the whole model.
        assert len([name for name in late.files if name.startswith("optimizer-")]) == 8 + len(
            [name for name in early.files if name.startswith("optimizer-")]
        )


@pytest.fixture(scope="module")
def interrupted_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    with eager_functions(), pytest.raises(KeyboardInterrupt):
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
    names = [f"0000{epoch}-000000000.{end}" for epoch in (2, 3) for end in ("npz", "sha256")]
    assert sorted(os.listdir(interrupted)) == names


@pytest.mark.parametrize("missing", [False, True])
def test_a_run_without_checkpoint_starts_from_scratch(tmp_path, missing):
    model, unfreezing = prepared(0)
    before = state(model)
    assert restore_newest(tmp_path / "absent" if missing else tmp_path, model, unfreezing) is None
    assert state(model) == before


def truncate(data):
    return data[: len(data) // 2]


def flip_a_bit(data):
    # In the text of the state: most bytes of the file's headers are never read.
    place = data.index("epochs".encode("utf-32-le"))
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def lose_an_array(data):
    return data.replace(b"optimizer-3.npy", b"optimizer-X.npy")


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, lose_an_array, lambda data: b""])
def test_the_older_checkpoint_is_restored_if_the_newest_is_damaged(interrupted, damage):
    newest, (model, unfreezing), (reference, other) = interrupted / "00003-000000000.npz", prepared(99), prepared(98)
    newest.write_bytes(damage(newest.read_bytes()))
    progress = restore_newest(interrupted, model, unfreezing)
    newest.unlink()
    assert progress == restore_newest(interrupted, reference, other)
    assert progress.epochs == 2
    assert state(model) == state(reference)


def test_no_variable_changes_if_all_checkpoints_are_damaged(interrupted):
    for path in interrupted.glob("*.npz"):
        path.write_bytes(lose_an_array(path.read_bytes()))
    model, unfreezing = prepared(99)
    before = state(model)
    assert restore_newest(interrupted, model, unfreezing) is None
    assert state(model) == before


def test_a_failing_write_leaves_the_older_checkpoints_unchanged(interrupted, monkeypatch):
    before = {path.name: path.read_bytes() for path in interrupted.iterdir()}

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="No space left"):
        train(build_model(0), interrupted)
    assert {path.name: path.read_bytes() for path in interrupted.iterdir()} == before


def test_a_checkpoint_of_another_shape_is_skipped(tmp_path, capsys):
    def model(units):
        inputs = keras.Input((2,))
        built = keras.Model(inputs, keras.layers.Dense(units, name="head.output")(inputs))
        built.compile(StagedAdamW(), "mse")
        unfreezing = ProgressiveUnfreezing(PHASES[:1])
        unfreezing.prepare(built)
        return built, unfreezing

    built, unfreezing = model(3)
    SaveCheckpoints(tmp_path, Progress(), unfreezing, built).on_epoch_end(0, {"loss": 1.0})
    assert restore_newest(tmp_path, *model(4)) is None
    assert "is skipped" in capsys.readouterr().out
    assert restore_newest(tmp_path, *model(3)) == Progress(1, {"loss": [1.0]})


def test_untouched_weights_must_equal_those_at_the_start(tmp_path):
    def prepared_head(seed):
        model, unfreezing = build_model(seed, dropout=0.5), ProgressiveUnfreezing(PHASES[:1])
        unfreezing.prepare(model)
        return model, unfreezing

    model, unfreezing = prepared_head(0)
    SaveCheckpoints(tmp_path, Progress(), unfreezing, model).on_epoch_end(0)
    arrays = np.load(tmp_path / "00001-000000000.npz")
    sizes = [array.size for name, array in arrays.items() if name.startswith("model")]
    # The head's kernel and bias, and the state of the dropout in the frozen block.
    assert sorted(sizes) == [1, 2, 8]
    with pytest.raises(InputError, match="pretrained weights differ from those at its start"):
        restore_newest(tmp_path, *prepared_head(1))


@pytest.mark.parametrize(("setting", "epoch", "batch"), [("dropout", 0, 0), ("everything", 3, 1)])
def test_a_run_killed_in_the_middle_of_an_epoch_resumes_there(setting, epoch, batch, tmp_path):
    often = {"interval": Interval(steps=1)}
    with pytest.raises(KeyboardInterrupt):
        train(build_model(0, **SETTINGS[setting]), tmp_path, Kill(epoch, batch), **often)
    assert f"{epoch:05d}-{batch + 1:09d}.npz" in os.listdir(tmp_path)
    resumed = build_model(0, **SETTINGS[setting])
    epochs_done, history = train(resumed, tmp_path, **often)
    assert epochs_done == epoch
    assert (history, state(resumed)) == uninterrupted(setting)


@pytest.mark.parametrize("interval", [Interval(steps=1), Interval(seconds=1e-9)])
def test_saving_more_often_gives_bit_identical_results(interval, tmp_path):
    model = build_model(0, **SETTINGS["everything"])
    _, history = train(model, tmp_path, interval=interval)
    assert (history, state(model)) == uninterrupted("everything")


def test_checkpoints_within_an_epoch_follow_the_interval(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(
        "tl_keras.callbacks.checkpoints.write_checkpoint",
        lambda folder, epochs, steps, arrays: saved.append((epochs, steps)),
    )
    train(build_model(0), tmp_path, interval=Interval(steps=2))
    assert saved[:4] == [(0, 2), (1, 0), (1, 2), (2, 0)]


class Signal(keras.callbacks.Callback):
    """Sends a signal to the process when a callback method is called for the n-th time."""

    def __init__(self, event, times=1):
        super().__init__()
        setattr(self, event, self.send)
        self.times = times

    def send(self, *_arguments, **_named):
        self.times -= 1
        if self.times == 0:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(
    ("event", "times", "name"),
    [
        ("on_train_batch_begin", 5, "00001-000000002"),
        ("on_train_batch_begin", 6, "00002-000000000"),
        ("on_epoch_begin", 4, "00003-000000001"),
        ("on_epoch_end", 5, "00005-000000000"),
    ],
)
def test_a_signal_is_handled_after_the_step_and_loses_nothing(event, times, name, tmp_path):
    model, setting = build_model(0, **SETTINGS["dropout"]), SETTINGS["dropout"]
    with pytest.raises(Interrupted), StopSignals() as signals:
        train(model, tmp_path, Signal(event, times), signals=signals)
    assert f"{name}.sha256" in os.listdir(tmp_path)
    resumed = build_model(0, **setting)
    _, history = train(resumed, tmp_path)
    assert (history, state(resumed)) == uninterrupted("dropout")


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    class Spoil(keras.callbacks.Callback):
        """Makes a weight NaN in the middle of epoch 2; the loss shows it one step later."""

        def on_train_batch_begin(self, batch, logs=None):
            if self.model.optimizer.iterations.numpy() == STEPS + 1:
                self.model.layers[-1].kernel.assign(self.model.layers[-1].kernel * np.nan)

    with pytest.raises(NotFinite, match="batch 2 of epoch 2"):
        train(build_model(0), tmp_path, Spoil(), interval=Interval(steps=1))
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["00001-000000000.npz", "00001-000000001.npz"]
    model, unfreezing = prepared(0)
    assert restore_newest(tmp_path, model, unfreezing).epochs == 1
    assert np.isfinite(model.layers[-1].kernel.numpy()).all()


class Loss:
    """A loss on a device, which counts how often it is read."""

    def __init__(self, value):
        self.value, self.reads = value, 0

    def __float__(self):
        self.reads += 1
        return self.value


def test_losses_are_read_rarely_and_the_first_bad_one_is_named(tmp_path):
    model, unfreezing = prepared(0)
    saving = SaveCheckpoints(tmp_path, Progress(), unfreezing, model)
    saving.set_model(model)
    saving.set_params({"steps": 100})
    unfreezing.snapshot = lambda: {"steps": step + 1}
    losses = [Loss(float("nan") if step >= 17 else 1.0) for step in range(32)]
    with pytest.raises(NotFinite, match="batch 18 of epoch 1"):
        for step, loss in enumerate(losses):
            saving.on_train_batch_end(step, {"loss": loss})
            assert sum(one.reads for one in losses) == 16 * (step >= 15)
    assert step == 31


def test_weights_spoiled_by_the_last_batch_of_an_epoch_are_not_saved(tmp_path):
    model, unfreezing = prepared(0)
    saving = SaveCheckpoints(tmp_path, Progress(), unfreezing, model)
    model.layers[-1].kernel.assign(model.layers[-1].kernel * np.inf)
    with pytest.raises(NotFinite, match="the last batch of epoch 1"):
        saving.on_epoch_end(0, {"loss": 1.0})
    assert not os.listdir(tmp_path)
