import math
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.eager_functions import eager_functions
from tests.transfer.tiny_models import (
    IMAGES,
    LABELS,
    blocks_model,
    compiled,
    nested_model,
    same_bits,
    sequential_model,
    values,
)
from tl_keras.errors import InputError
from tl_keras.phases import Phase, Plateau
from tl_keras.transfer.audit import FreezeViolation
from tl_keras.transfer.freezing import freeze_to, variables_by_block
from tl_keras.transfer.staged_adamw import StagedAdamW
from tl_keras.transfer.unfreezing import ProgressiveUnfreezing

REPOSITORY = Path(__file__).parents[2]
PHASES = [
    Phase("head", epochs=2, learning_rate=1e-2),
    Phase("block2", epochs=1, learning_rate=5e-3, block_decay=0.5),
    Phase("all", epochs=2, learning_rate=2e-3),
]
TWO_PHASES = [Phase("head", learning_rate=1e-2), Phase("all", learning_rate=1e-2)]


def fit(model, unfreezing, *more_callbacks, epochs=5, **options):
    callbacks = [unfreezing, *more_callbacks]
    options = {"x": IMAGES, "y": LABELS, "batch_size": 8} | options
    return model.fit(epochs=epochs, callbacks=callbacks, shuffle=False, verbose=0, **options)


class Recorder(keras.callbacks.Callback):
    """Records the weights before and after each epoch and the learning rate of each step."""

    def on_train_begin(self, logs=None):
        self.weights, self.rates, self.momentum = [values(self.model.weights)], [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.start_momentum = self.head_momentum()

    def on_train_batch_begin(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(values(self.model.weights))
        self.momentum.append((self.start_momentum, self.head_momentum()))

    def head_momentum(self):
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        return optimizer._momentums[-1].numpy().copy() if hasattr(optimizer, "_momentums") else None


class Cheat(keras.callbacks.Callback):
    """Changes a frozen weight without the optimizer."""

    def on_train_batch_end(self, batch, logs=None):
        self.model.get_layer("block1.norm").moving_mean.assign_add(np.full(4, 1e-7, "float32"))


def assert_exact_phases(model, unfreezing, recorder):
    """Checks that each phase moved exactly the trainable variables of its blocks."""
    position = {id(variable): number for number, variable in enumerate(model.weights)}
    for record in unfreezing.plan:
        before = recorder.weights[record["first_epoch"]]
        after = recorder.weights[record["first_epoch"] + record["epochs"]]
        for block, variables in variables_by_block(model).items():
            for variable in variables:
                number = position[id(variable)]
                is_trained = block in record["blocks"] and is_trainable(variable, unfreezing.batch_norm)
                assert same_bits(before[number], after[number]) != is_trained, (record["name"], variable.path)


def is_trainable(variable, batch_norm):
    in_normalization = variable.path.split("/")[-2].endswith(("norm", "standardize"))
    return not in_normalization or (batch_norm == "train" and "standardize" not in variable.path)


@pytest.mark.parametrize("batch_norm", ["inference", "train"])
@pytest.mark.parametrize(
    ("build", "last_block"), [(blocks_model, "block2"), (nested_model, "norm"), (sequential_model, "features")]
)
def test_each_phase_changes_exactly_the_weights_of_its_blocks(build, last_block, batch_norm, request):
    if build is not blocks_model:  # other blocks, the same graph of each phase
        request.getfixturevalue("eager")
    phases = [PHASES[0], Phase(last_block, learning_rate=5e-3, block_decay=0.5), PHASES[2]]
    model = compiled(build(), StagedAdamW(weight_decay=0.0))
    unfreezing, recorder = ProgressiveUnfreezing(phases, batch_norm), Recorder()
    fit(model, unfreezing, recorder)
    assert_exact_phases(model, unfreezing, recorder)
    for record in unfreezing.plan:
        assert record["seconds"] > 0
        assert record["audit"]["frozen"] + record["audit"]["moved"] <= len(model.weights)


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": {"global_clipnorm": 0.1}},
        {"optimizer": {"gradient_accumulation_steps": 2}},
        {"optimizer": {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 1}},
        {"compile": {"steps_per_execution": 2}},
        {"compile": {"run_eagerly": True}},
        {"compile": {"jit_compile": True}},
    ],
    ids=lambda options: "-".join(*options.values()),
)
def test_keras_compile_and_optimizer_options_work(options):
    model = compiled(blocks_model(), StagedAdamW(**options.get("optimizer", {})), **options.get("compile", {}))
    unfreezing, recorder = ProgressiveUnfreezing(TWO_PHASES), Recorder()
    fit(model, unfreezing, recorder, epochs=2)
    assert_exact_phases(model, unfreezing, recorder)


@pytest.mark.parametrize(
    "optimizer", ["adam", "sgd", keras.optimizers.AdamW(1e-3, weight_decay=0.1)], ids=["adam", "sgd", "adamw"]
)
def test_keras_optimizers_work(optimizer):
    model = compiled(blocks_model(), optimizer)
    unfreezing, recorder = ProgressiveUnfreezing(TWO_PHASES), Recorder()
    fit(model, unfreezing, recorder, epochs=2)
    assert_exact_phases(model, unfreezing, recorder)


def test_mixed_float16_scales_the_loss():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = compiled(blocks_model(), StagedAdamW())
    finally:
        keras.mixed_precision.set_global_policy("float32")
    unfreezing, recorder = ProgressiveUnfreezing(PHASES), Recorder()
    history = fit(model, unfreezing, recorder).history
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert isinstance(model.optimizer.inner_optimizer, StagedAdamW)
    assert_exact_phases(model, unfreezing, recorder)
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.usefixtures("eager")
def test_an_optimizer_built_over_other_variables_is_replaced_by_a_copy(policy):
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = compiled(blocks_model(), StagedAdamW(weight_decay=0.3, name="mine"))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    model.optimizer.build(model.trainable_variables)
    fit(model, ProgressiveUnfreezing(TWO_PHASES), epochs=2)
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    assert (type(optimizer), optimizer.name, optimizer.weight_decay) == (StagedAdamW, "mine", 0.3)
    assert len(optimizer._trainable_variables) == 4


@pytest.fixture(scope="module")
def whole_fit():
    """A model trained by `PHASES`, which could not compile it again, with its history and its recorder."""
    model, recorder = compiled(blocks_model(), StagedAdamW()), Recorder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "compile", None)
        return model, fit(model, ProgressiveUnfreezing(PHASES), recorder).history, recorder


def test_the_loss_decreases_without_recompilation(whole_fit):
    loss = whole_fit[1]["loss"]
    assert len(loss) == 5
    assert loss[-1] < loss[2] < loss[0]


def test_a_model_compiled_before_freezing_is_trained():
    model = compiled(blocks_model(), StagedAdamW())
    freeze_to(model, "head")
    recorder = Recorder()
    fit(model, unfreezing := ProgressiveUnfreezing(TWO_PHASES), recorder, epochs=2)
    assert_exact_phases(model, unfreezing, recorder)


@pytest.mark.parametrize(
    ("phases", "paths"),
    [
        ([Phase("head")], ["head.logits/kernel", "head.logits/bias"]),
        ([Phase("head"), Phase(["block1"])], ["block1.conv/kernel", "head.logits/kernel", "head.logits/bias"]),
    ],
)
@pytest.mark.usefixtures("eager")
def test_the_optimizer_holds_only_variables_that_a_phase_trains(phases, paths):
    model = compiled(blocks_model(), StagedAdamW())
    fit(model, ProgressiveUnfreezing(phases), epochs=len(phases))
    assert [variable.path for variable in model.optimizer._trainable_variables] == paths
    assert len(model.optimizer.variables) == 2 + 2 * len(paths) + 2


def test_the_moments_survive_a_phase_change(whole_fit):
    recorder = whole_fit[2]
    for (_, end), (start, _) in zip(recorder.momentum, recorder.momentum[1:], strict=False):
        assert same_bits(end, start)
        assert np.abs(end).max() > 0


def test_the_learning_rate_follows_the_phases_step_by_step(whole_fit):
    recorder = whole_fit[2]
    head, block2, whole = PHASES
    expected = [head.learning_rate_at((step + 0.5) / 4) for step in range(4)]
    expected += [block2.learning_rate_at((step + 0.5) / 2) for step in range(2)]
    expected += [whole.learning_rate_at((step + 0.5) / 4) for step in range(4)]
    np.testing.assert_allclose(recorder.rates, expected, rtol=1e-6)


@pytest.mark.usefixtures("eager")
def test_each_block_has_its_own_learning_rate():
    model = compiled(blocks_model(), StagedAdamW(weight_decay=0.0))
    unfreezing = ProgressiveUnfreezing([Phase("all", learning_rate=1e-3, block_decay=0.1)])
    recorder = Recorder()
    fit(model, unfreezing, recorder, epochs=1, batch_size=16)
    moved = [np.abs(after - before).max() for before, after in zip(*recorder.weights, strict=True)]
    rates = dict(zip((weight.path for weight in model.weights), moved, strict=True))
    assert rates["block2.conv/kernel"] / rates["head.logits/kernel"] == pytest.approx(0.1, rel=0.05)
    assert rates["block1.conv/kernel"] / rates["head.logits/kernel"] == pytest.approx(0.01, rel=0.05)


@pytest.mark.usefixtures("eager")
def test_a_phase_of_a_single_step_changes_weights():
    unfreezing = ProgressiveUnfreezing([Phase("head", warmup=0.9)])
    fit(compiled(blocks_model(), StagedAdamW()), unfreezing, epochs=1, batch_size=16)
    assert unfreezing.plan[0]["audit"]["moved"] == 2


@pytest.mark.usefixtures("eager")
def test_data_of_unknown_length_use_the_rate_at_the_middle_of_the_epoch():
    def batches():
        yield from ((IMAGES[:8], LABELS[:8]), (IMAGES[8:], LABELS[8:]))

    signature = (tf.TensorSpec((None, 6, 6, 1)), tf.TensorSpec((None,), "int32"))
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    recorder = Recorder()
    unfreezing = ProgressiveUnfreezing(PHASES[:1])
    fit(compiled(blocks_model(), StagedAdamW()), unfreezing, recorder, epochs=2, x=dataset, y=None, batch_size=None)
    first, second = PHASES[0].learning_rate_at(0.25), PHASES[0].learning_rate_at(0.75)
    np.testing.assert_allclose(sorted(set(recorder.rates)), [second, first], rtol=1e-6)


@pytest.mark.parametrize(("epochs", "run"), [(3, 3), (9, 5)])
@pytest.mark.usefixtures("eager")
def test_fit_stops_after_its_epochs_or_after_the_last_phase(epochs, run):
    unfreezing = ProgressiveUnfreezing(PHASES)
    with pytest.warns(UserWarning, match=f"fit has epochs={epochs}, but the phases have 5 together"):
        history = fit(compiled(blocks_model(), StagedAdamW()), unfreezing, epochs=epochs)
    assert len(history.epoch) == run
    assert ["audit" in record for record in unfreezing.plan] == [True, True, run == 5]


def test_two_fits_in_a_row_equal_one(whole_fit):
    whole, parts = whole_fit[0], compiled(blocks_model(), StagedAdamW())
    unfreezing = ProgressiveUnfreezing(PHASES)
    for first, last in [(0, 1), (1, 4), (4, 5)]:
        fit(parts, unfreezing, initial_epoch=first, epochs=last)
    assert all(map(same_bits, values(parts.variables), values(whole.variables)))
    assert all(map(same_bits, values(parts.optimizer.variables), values(whole.optimizer.variables)))


def test_a_fit_after_the_last_phase_is_refused():
    with pytest.raises(InputError, match="The phases end before epoch 5"):
        fit(compiled(blocks_model(), StagedAdamW()), ProgressiveUnfreezing(PHASES), initial_epoch=5, epochs=6)


@pytest.mark.usefixtures("eager")
def test_a_head_named_like_a_layer_of_the_base_is_trained_alone():
    base = keras.Sequential([layers.Input((6, 6, 1)), layers.Flatten(), layers.Dense(4, name="dense")], name="base")
    model = compiled(keras.Sequential([base, layers.Dense(2, name="dense")]), StagedAdamW())
    unfreezing = ProgressiveUnfreezing([Phase("head", learning_rate=1e-2)])
    before = values(base.weights)
    fit(model, unfreezing, epochs=1)
    assert all(map(same_bits, values(base.weights), before))
    assert unfreezing.plan[0]["blocks"] == ["dense"]
    assert unfreezing.plan[0]["audit"] == {"frozen": 2, "moved": 2}


@pytest.mark.usefixtures("eager")
def test_a_changed_frozen_weight_stops_the_run():
    model = compiled(blocks_model(), StagedAdamW())
    with pytest.raises(FreezeViolation, match="'block1.norm/moving_mean' of block 'block1' changed"):
        fit(model, ProgressiveUnfreezing(PHASES), Cheat())


@pytest.mark.parametrize(
    ("optimizer", "size"), [(StagedAdamW(), ": their gradients are about [0-9.e-]+"), ("adam", ": their"), ("sgd", "")]
)
@pytest.mark.usefixtures("eager")
def test_a_block_that_does_not_move_is_a_warning_and_the_run_continues(optimizer, size):
    model = compiled(blocks_model(), optimizer)
    unfreezing = ProgressiveUnfreezing([Phase(["block1"], learning_rate=1e-30), Phase("head")])
    with pytest.warns(UserWarning, match=f"'block1' is trainable .* none of its trainable variables moved{size}"):
        fit(model, unfreezing, epochs=2)
    assert [len(record["warnings"]) for record in unfreezing.plan] == [1, 0]


@pytest.mark.usefixtures("eager")
def test_a_block_whose_rate_is_negligible_need_not_move():
    inputs = x = layers.Input((6, 6, 1))
    for number in range(15):
        x = layers.Conv2D(2, 1, use_bias=False, activation="selu", name=f"conv{number}")(x)
    model = keras.Model(inputs, layers.Dense(2, name="logits")(layers.Flatten()(x)))
    unfreezing = ProgressiveUnfreezing([Phase("all", learning_rate=1e-3, block_decay=0.1)])
    fit(compiled(model, StagedAdamW()), unfreezing, epochs=1)
    assert unfreezing.plan[0]["warnings"] == []


@pytest.mark.usefixtures("eager")
def test_the_last_steps_of_a_resumed_phase_need_not_move_weights():
    """With ten batches and steps of eight, no step is left after a kill at the ninth batch."""
    model = compiled(blocks_model(), StagedAdamW(gradient_accumulation_steps=8))
    data = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(8).repeat()
    unfreezing = ProgressiveUnfreezing([Phase("head", epochs=5, learning_rate=1e-2)])
    unfreezing.prepare(model, 2)
    fit(model, unfreezing, x=data, y=None, batch_size=None, steps_per_epoch=2, epochs=5, initial_epoch=4)
    assert unfreezing.plan[0]["audit"]["moved"] == 0


@pytest.mark.usefixtures("eager")
def test_dropout_in_a_frozen_block_is_not_a_violation():
    inputs = layers.Input((6, 6, 1))
    x = layers.Reshape((6, 6))(inputs)
    x = layers.MultiHeadAttention(2, 2, dropout=0.5, name="block1.attention")(x, x)
    model = keras.Model(inputs, layers.Dense(2, name="head.logits")(layers.Flatten()(x)))
    unfreezing = ProgressiveUnfreezing([Phase("head")])
    fit(compiled(model, StagedAdamW()), unfreezing, epochs=1)
    assert unfreezing.plan[0]["audit"] == {"frozen": 8, "moved": 2}


def error_message(optimizer, phases=PHASES, batch_norm="inference", model=None):
    with pytest.raises(InputError) as error:
        fit(compiled(model or blocks_model(), optimizer), ProgressiveUnfreezing(phases, batch_norm))
    return str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "adam"}, "block_decay gives blocks different learning rates, which Adam does not support"),
        (
            {"optimizer": keras.optimizers.Adam(use_ema=True), "phases": TWO_PHASES},
            "use_ema averages variables that are trained in different phases, which Adam does not support",
        ),
        (
            {"optimizer": StagedAdamW(keras.optimizers.schedules.CosineDecay(1e-3, 10))},
            "compile with a number as its learning_rate",
        ),
        ({"optimizer": StagedAdamW(lambda: 1e-3)}, "compile with a number as its learning_rate"),
        ({"optimizer": "adam", "phases": []}, "empty list of phases"),
        ({"optimizer": "adam", "phases": [Phase("blok1")]}, "did you mean 'block1'"),
        ({"optimizer": "adam", "batch_norm": "trian"}, "did you mean 'train'"),
        (
            {"optimizer": "adam", "batch_norm": "recalibrate"},
            "call tl_keras.recalibrate_batch_norm(model",
        ),
        (
            {"optimizer": StagedAdamW(gradient_accumulation_steps=8)},
            "'head' may end after 4 batches",
        ),
    ],
)
def test_invalid_settings_are_refused_before_the_first_step(arguments, message):
    assert message in error_message(**arguments)


@pytest.mark.usefixtures("eager")
def test_an_optimizer_with_steps_over_other_variables_is_refused():
    model = compiled(blocks_model(), StagedAdamW())
    model.fit(IMAGES, LABELS, verbose=0)
    with pytest.raises(InputError, match="already taken steps over other variables .* compile the model again"):
        fit(model, ProgressiveUnfreezing([Phase("head")]), epochs=1)


def test_the_trained_model_can_be_saved_and_exported(tmp_path):
    model = compiled(blocks_model(), StagedAdamW())
    with eager_functions():
        fit(model, ProgressiveUnfreezing(TWO_PHASES), epochs=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), atol=1e-6)
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(exported.serve(IMAGES), model.predict(IMAGES, verbose=0), atol=1e-5)


MIRRORED = """
import sys
import keras, numpy, tensorflow as tf
sys.path.insert(0, "tests/transfer")
from tests.transfer.tiny_models import IMAGES, LABELS, blocks_model, compiled
from tl_keras import Phase, ProgressiveUnfreezing, StagedAdamW
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
weights = []
for devices in (["CPU:0"], ["CPU:0", "CPU:1"]):
    with tf.distribute.MirroredStrategy(devices).scope():
        model = compiled(blocks_model(), StagedAdamW(use_ema=True), jit_compile=False)
    unfreezing = ProgressiveUnfreezing([Phase("head"), Phase("all", epochs=2, block_decay=0.5)])
    data = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(8)
    model.fit(data, epochs=3, callbacks=[unfreezing], verbose=0)
    assert all("audit" in record for record in unfreezing.plan)
    weights.append(model.get_weights())
for one, two in zip(*weights, strict=True):
    numpy.testing.assert_allclose(one, two, atol=1e-6)
"""


@pytest.mark.slow
def test_two_mirrored_devices_equal_one_device():
    command = [sys.executable, "-c", MIRRORED]
    process = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr


class Losses(keras.callbacks.Callback):
    """Sets val_loss in the logs before `ProgressiveUnfreezing` reads them."""

    def __init__(self, *values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


def fit_with_losses(model, unfreezing, losses, *more, epochs=9, initial_epoch=0):
    data = {"x": IMAGES, "y": LABELS, "batch_size": 8, "shuffle": False, "verbose": 0}
    callbacks = [Losses(*losses), unfreezing, *more]
    return model.fit(**data, epochs=epochs, initial_epoch=initial_epoch, callbacks=callbacks)


UNTIL = [Phase("head", until=Plateau(patience=2), learning_rate=1e-2), Phase("all", epochs=2, learning_rate=1e-2)]


@pytest.mark.usefixtures("eager")
def test_a_plateau_ends_its_phase_and_the_next_one_starts():
    model, unfreezing = compiled(blocks_model(), StagedAdamW()), ProgressiveUnfreezing(UNTIL)
    history = fit_with_losses(model, unfreezing, [3, 2, 2, 2, 1, 1, 9, 9, 9])
    assert len(history.epoch) == 6
    assert unfreezing.state["ends"] == [4, 6]
    records = [(record["first_epoch"], record["epochs"], record["ended_by"]) for record in unfreezing.plan]
    assert records == [(0, 4, "plateau"), (4, 2, "epochs")]


@pytest.mark.usefixtures("eager")
def test_a_resumed_fit_ends_the_phase_at_the_same_epoch():
    model, unfreezing = compiled(blocks_model(), StagedAdamW()), ProgressiveUnfreezing(UNTIL)
    unfreezing.resume({"ends": [], "seconds": 0.0, "best": 2.0, "waited": 1})
    history = fit_with_losses(model, unfreezing, [3, 2, 2, 2, 1, 1, 9, 9, 9], initial_epoch=3)
    assert (len(history.epoch), unfreezing.state["ends"]) == (3, [4, 6])


@pytest.mark.usefixtures("eager")
def test_the_best_weights_are_restored_at_the_end_of_a_phase():
    phases = [Phase("head", epochs=3, learning_rate=1e-2, restore_best=True), Phase("all", learning_rate=1e-2)]
    model, unfreezing, recorder = compiled(blocks_model(), StagedAdamW()), ProgressiveUnfreezing(phases), Recorder()
    fit_with_losses(model, unfreezing, [2.0, 1.0, 3.0, 0.5], recorder)
    after_best, after_phase = recorder.weights[2], recorder.weights[3]
    assert all(same_bits(one, other) for one, other in zip(after_best, after_phase, strict=True))
    assert unfreezing.best_weights == []


@pytest.mark.usefixtures("eager")
def test_the_best_weights_may_be_those_at_the_start_of_a_resumed_fit():
    phases = [Phase("head", until=Plateau(patience=2), learning_rate=1e-2, restore_best=True)]
    model, first = compiled(blocks_model(), StagedAdamW()), ProgressiveUnfreezing(phases)
    losses = [3.0, 2.0, 1.0, 9.0, 9.0]
    fit_with_losses(model, first, losses, epochs=3)
    best, again = values(model.weights), ProgressiveUnfreezing(phases)
    again.resume(first.state, first.best_weights)
    fit_with_losses(model, again, losses, initial_epoch=3)
    assert all(map(same_bits, values(model.weights), best))
    assert again.plan[0]["audit"]["moved"] == 2


@pytest.mark.usefixtures("eager")
def test_a_second_fit_discards_the_best_value_and_the_time_of_an_interrupted_one():
    model, unfreezing = compiled(blocks_model(), StagedAdamW()), ProgressiveUnfreezing(UNTIL, max_seconds=1e6)
    fit_with_losses(model, unfreezing, [0.1, 5.0], epochs=2)
    unfreezing.state["seconds"] = 1e6
    history = fit_with_losses(model, unfreezing, [6.0, 5.0, 4.0, 3.0, 3.0, 3.0, 3.0, 3.0])
    assert len(history.epoch) == 8
    assert unfreezing.state["ends"] == [6, 8]
    assert unfreezing.state["seconds"] < 1e5


@pytest.mark.usefixtures("eager")
def test_restoring_best_weights_needs_a_numeric_metric():
    model = compiled(blocks_model(), StagedAdamW())
    unfreezing = ProgressiveUnfreezing([Phase("head", restore_best=True)])
    with pytest.raises(InputError, match="'head' has no best weights, because its val_loss was never a number"):
        fit_with_losses(model, unfreezing, [math.nan], epochs=1)


@pytest.mark.usefixtures("eager")
def test_a_metric_that_is_not_reported_is_refused():
    model, unfreezing = compiled(blocks_model(), StagedAdamW()), ProgressiveUnfreezing(UNTIL)
    with pytest.raises(InputError, match=r"monitors 'val_loss', which fit does not report: it reports .*loss"):
        fit(model, unfreezing)


def test_moving_averages_and_best_weights_exclude_each_other():
    model = compiled(blocks_model(), StagedAdamW(use_ema=True))
    with pytest.raises(InputError, match="choose one of them"):
        fit(model, ProgressiveUnfreezing([Phase("head", restore_best=True)]))


@pytest.mark.usefixtures("eager")
def test_each_phase_trains_one_epoch_when_time_is_up():
    model, unfreezing = compiled(blocks_model(), StagedAdamW()), ProgressiveUnfreezing(PHASES, max_seconds=1e-3)
    history = fit(model, unfreezing)
    assert len(history.epoch) == len(PHASES)
    assert [record["ended_by"] for record in unfreezing.plan] == ["time", "epochs", "time"]


@pytest.mark.usefixtures("eager")
def test_a_generous_time_limit_changes_nothing(whole_fit):
    model, recorder = compiled(blocks_model(), StagedAdamW()), Recorder()
    unfreezing = ProgressiveUnfreezing(PHASES, max_seconds=1e6)
    fit(model, unfreezing, recorder)
    assert [record["ended_by"] for record in unfreezing.plan] == ["epochs"] * 3
    assert recorder.rates == pytest.approx(whole_fit[2].rates, rel=1e-3)


@pytest.mark.usefixtures("eager")
def test_moving_averages_replace_the_weights_at_the_end_of_each_phase():
    model, recorder = compiled(blocks_model(), StagedAdamW(use_ema=True, ema_momentum=0.9)), Recorder()
    fit(model, ProgressiveUnfreezing(TWO_PHASES), recorder, epochs=2)
    number = [weight.path for weight in model.weights].index("head.logits/kernel")
    average = model.optimizer._model_variables_moving_average[
        [v.path for v in model.trainable_variables].index("head.logits/kernel")
    ]
    np.testing.assert_array_equal(recorder.weights[-1][number], average.numpy())


def test_weights_excluded_by_a_regex_stay_identical_and_start_when_first_trained():
    bias, everything = Phase("regex:bias$", learning_rate=1e-2), Phase("all", learning_rate=1e-2)
    model = compiled(blocks_model(), StagedAdamW(use_ema=True, ema_momentum=0.9))
    unfreezing = ProgressiveUnfreezing([bias, everything, bias])
    fit(model, unfreezing, epochs=3, batch_size=2)
    assert [record["audit"]["moved"] for record in unfreezing.plan] == [1, 4, 1]
    paths = [variable.path for variable in model.optimizer._trainable_variables]
    start_steps = dict(zip(paths, model.optimizer._start_steps.numpy().tolist(), strict=True))
    assert start_steps["head.logits/bias"] == 0
    assert start_steps["head.logits/kernel"] == start_steps["block1.conv/kernel"] == 8


@pytest.mark.usefixtures("eager")
def test_a_regex_trains_single_weights():
    model, recorder = compiled(blocks_model(), StagedAdamW()), Recorder()
    before = values(model.weights)
    fit(model, ProgressiveUnfreezing([Phase("regex:bias$")]), recorder, epochs=1)
    moved = [v.path for v, old in zip(model.weights, before, strict=True) if not same_bits(v.numpy(), old)]
    assert moved == ["head.logits/bias"]


@pytest.mark.usefixtures("eager")
def test_the_state_can_scale_every_learning_rate():
    recorders = []
    for rate in (1.0, 0.1):
        model, unfreezing = compiled(blocks_model(), StagedAdamW()), ProgressiveUnfreezing(TWO_PHASES)
        unfreezing.resume({"rate": rate})
        recorders.append(Recorder())
        fit(model, unfreezing, recorders[-1], epochs=2)
    np.testing.assert_allclose(recorders[1].rates, np.multiply(recorders[0].rates, 0.1), rtol=1e-6)


@pytest.mark.usefixtures("eager")
def test_a_fit_resumed_within_an_epoch_uses_the_remaining_steps_and_rates():
    data = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(8).repeat()
    steps = len(IMAGES) // 8
    recorders = []
    for done in (0, steps - 1):
        model, unfreezing = compiled(blocks_model(), StagedAdamW()), ProgressiveUnfreezing(TWO_PHASES)
        unfreezing.resume({"steps": done})
        recorders.append(Recorder())
        options = {"x": data.skip(done), "y": None, "batch_size": None, "steps_per_epoch": steps}
        fit(model, unfreezing, recorders[-1], epochs=2, **options)
        assert unfreezing.snapshot()["steps"] == 0
        assert len(recorders[-1].weights) == 3
    assert recorders[1].rates == recorders[0].rates[steps - 1 :]
