import json
import os
import shutil
from collections import Counter
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tests.models.small_backbone import small_backbone
from tl_keras import train
from tl_keras.callbacks.checkpoint_files import write_checkpoint
from tl_keras.cli.verbs import run_verb
from tl_keras.config import OptimizerConfig
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.phases import Phase
from tl_keras.runs.trained_run import load_run
from tl_keras.tasks.registry import TASKS
from tl_keras.training import preparation
from tl_keras.training.fitting import find_warnings, make_optimizer
from tl_keras.transfer import plan_phases

PHASES = {
    "efficientnet_lite0": "[{train: head, epochs: 2}, {train: top, epochs: 3}, {train: block7, epochs: 2}]",
    "vgg16": "[{train: head, epochs: 2}, {train: block5, epochs: 3}, {train: block4, epochs: 2}]",
    "inception_v3": "[{train: head, epochs: 2}, {train: mixed10, epochs: 3}, {train: mixed9, epochs: 2}]",
}


def arguments(image_folder, folder, backbone="efficientnet_lite0", **more):
    """The flags of 7 epochs with 3 steps each: 21 steps."""
    flags = {
        "data.path": image_folder,
        "data.image_size": 75 if backbone == "inception_v3" else 32,
        "data.batch_size": 8,
        "data.augmentation": "none",
        "model.backbone": backbone,
        "model.weights": "none",
        "model.dropout": 0.0,
        "phases": PHASES[backbone],
        "run": folder,
    }
    return [part for name, value in (flags | more).items() for part in (f"--{name}", str(value))]


def trained(flags):
    folder = train.run_training(parse(flags))
    return keras.models.load_model(folder / "model.keras"), json.loads((folder / "history.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("backbone", PHASES)
def test_cached_training_equals_plain_training(image_folder, tmp_path, capsys, backbone):
    check_equality(image_folder, tmp_path, capsys, backbone)


@pytest.mark.usefixtures("small_network")
def test_cached_training_of_a_small_network_equals_plain_training(image_folder, tmp_path, capsys):
    more = {"model.head_blocks": "all", "phases": "[{train: head, epochs: 2}, {train: block7, epochs: 3}]"}
    check_equality(image_folder, tmp_path, capsys, "efficientnet_lite0", **more)


def check_equality(image_folder, tmp_path, capsys, backbone, **more):
    off, on = (
        arguments(image_folder, tmp_path / mode, backbone, **more, **{"cache.mode": mode}) for mode in ("off", "on")
    )
    plain, plain_history = trained(off)
    assert "read cached activations" not in capsys.readouterr().out
    cached, cached_history = trained(on)
    phases = len(parse(on).phases)
    assert f"{phases} of {phases} phases read cached activations" in capsys.readouterr().out
    assert [weight.path for weight in cached.weights] == [weight.path for weight in plain.weights]
    for one, other in zip(cached.weights, plain.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5, err_msg=one.path)
    np.testing.assert_allclose(cached_history["loss"], plain_history["loss"], rtol=1e-4)


@pytest.mark.usefixtures("small_network")
def test_cached_training_equals_plain_training_where_early_blocks_learn_first(image_folder, tmp_path, capsys):
    phases = "[{train: [stem, block6], epochs: 2}, {train: block7, epochs: 3}]"
    plain, _ = trained(arguments(image_folder, tmp_path / "off", phases=phases, **{"cache.mode": "off"}))
    cached, _ = trained(arguments(image_folder, tmp_path / "on", phases=phases, **{"cache.mode": "on"}))
    assert "2 of 2 phases" in capsys.readouterr().out
    for one, other in zip(cached.weights, plain.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5, err_msg=one.path)


@pytest.fixture
def tiny_bert(tmp_path):
    """The folder of a BERT of three layers and random weights, as KerasHub saves its presets."""
    import keras_hub

    folder = tmp_path / "bert"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "the", "a", "very", "not"]
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(words),
        num_layers=3,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=32,
        dropout=0.0,
    )
    backbone.save_to_preset(folder)
    keras_hub.models.BertTokenizer(vocabulary=words, lowercase=True).save_to_preset(folder)
    return folder


def text_arguments(reviews, tiny_bert, folder, **more):
    """The flags of 6 epochs with 4 steps each: 24 steps."""
    flags = {
        "task": "text_classification",
        "data.path": reviews,
        "data.batch_size": 8,
        "text.max_tokens": 32,
        "model.backbone": tiny_bert,
        "model.dropout": 0.0,
        "phases": "[{train: head, epochs: 2}, {train: layer3, epochs: 2}, {train: layer2, epochs: 2}]",
        "run": folder,
    }
    return [part for name, value in (flags | more).items() for part in (f"--{name}", str(value))]


@pytest.fixture
def reviews(tmp_path):
    generator = np.random.default_rng(0)
    lines = ["text,label"]
    for number in range(46):
        words = generator.choice(["film", "the", "a", "very", "not"], generator.integers(2, 20))
        lines.append(f"{' '.join(words)} {'good' if number % 2 else 'bad'},{'yes' if number % 2 else 'no'}")
    path = tmp_path / "reviews.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.slow
def test_cached_training_of_a_bert_equals_plain_training(reviews, tiny_bert, tmp_path, capsys):
    def weights(name, mode):
        flags = text_arguments(reviews, tiny_bert, tmp_path / name, **{"cache.mode": mode})
        model = load_run(train.run_training(parse(flags))).model
        return {weight.path: np.array(weight) for weight in model.weights}

    plain = weights("off", "off")
    capsys.readouterr()
    cached = weights("on", "on")
    assert "3 of 3 phases read cached activations" in capsys.readouterr().out
    assert cached.keys() == plain.keys()
    for path, value in cached.items():
        np.testing.assert_allclose(value, plain[path], atol=1e-5, err_msg=path)


@pytest.mark.usefixtures("small_network")
def test_frozen_parts_are_not_computed_while_training_and_the_stored_ones_make_room(
    image_folder, tmp_path, monkeypatch, capsys
):
    fitted = []
    fit = keras.Model.fit

    def remember(self, *positional, **named):
        fitted.append(self)
        return fit(self, *positional, **named)

    monkeypatch.setattr(keras.Model, "fit", remember)
    flags = {"cache.mode": "on", "cache.folder": tmp_path / "cache", "cache.max_gigabytes": 150e3 / 1e9}
    trained(arguments(image_folder, tmp_path / "run", **flags))
    names = [{layer.name.split(".")[0] for layer in model.layers if layer.weights} for model in fitted]
    assert names == [{"head"}, {"top", "head"}, {"block7", "top", "head"}]
    assert "3 of 3 phases" in (printed := capsys.readouterr().out) and "a pass for each cut" in printed
    assert sum(path.stat().st_size for path in (tmp_path / "cache").glob("*.activations")) < 150e3


@pytest.fixture
def traced(monkeypatch):
    """Counts by the name of a step how often it was traced."""
    counts = Counter()

    def count(name):
        step = getattr(keras.Model, name)
        monkeypatch.setattr(keras.Model, name, lambda model, data: counts.update([name]) or step(model, data))

    for name in ("train_step", "test_step", "predict_step"):
        count(name)
    return counts


@pytest.mark.usefixtures("small_network")
def test_a_step_is_traced_once_for_each_phase_though_the_last_batch_is_smaller(image_folder, tmp_path, traced):
    # Of 24 images, the last batch has 4.
    flags = {"cache.mode": "off", "data.batch_size": 10, "phases": "[{train: head, epochs: 2}, {train: top}]"}
    trained(arguments(image_folder, tmp_path / "run", **flags))
    assert traced == {"train_step": 2, "test_step": 1, "predict_step": 1}


def test_a_step_is_traced_once_for_each_phase_though_texts_differ_in_length(reviews, tiny_bert, tmp_path, traced):
    more = {"cache.mode": "off", "text.tokens_per_batch": 64, "phases": "[{train: head}, {train: layer3}]"}
    train.run_training(parse(text_arguments(reviews, tiny_bert, tmp_path / "run", **more)))
    assert (traced["train_step"], traced["test_step"]) == (2, 1)


@pytest.mark.usefixtures("small_network", "report")
def test_augmented_views_are_cached_when_they_are_given(image_folder, tmp_path, capsys):
    more = {"data.augmentation": "light", "cache.views": 3, "phases": "[{train: head, epochs: 4}]"}
    _, history = trained(arguments(image_folder, tmp_path / "run", **more))
    assert "3 views of each training image" in capsys.readouterr().out
    assert len(history["loss"]) == 4
    assert "3 augmented views of each training image are stored" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("small_network")
def test_activations_of_half_the_size_train_nearly_as_well(image_folder, tmp_path, capsys):
    more = {"cache.mode": "on"}
    _, exact = trained(arguments(image_folder, tmp_path / "exact", **more))
    assert "(0.2 MB to store" in capsys.readouterr().out
    _, rounded = trained(arguments(image_folder, tmp_path / "rounded", **more, **{"cache.dtype": "bfloat16"}))
    assert "(0.1 MB to store" in capsys.readouterr().out
    assert rounded["loss"] != exact["loss"]
    np.testing.assert_allclose(rounded["loss"], exact["loss"], rtol=0.05)


@pytest.mark.usefixtures("small_network")
def test_random_weights_that_never_learn_are_pointed_out_and_augmented_images_are_not_cached_unasked(
    image_folder, tmp_path, monkeypatch, capsys
):
    more = {"data.augmentation": "light", "phases": "[{train: head, epochs: 9}]"}
    monkeypatch.setattr("tl_keras.callbacks.ProgressLines.on_epoch_begin", stop_at(0))
    with pytest.raises(KeyboardInterrupt):
        trained(arguments(image_folder, tmp_path / "run", **more))
    printed = capsys.readouterr().out
    assert "note: weights are random and never trained" in printed
    assert "read cached activations" not in printed


@pytest.mark.parametrize(
    ("train", "matched", "random"),
    [("head", (), ["neck", "proposals"]), ("neck", (), []), ("head", ("neck.b",), ["proposals"])],
)
def test_new_blocks_of_a_detector_that_never_learn_are_pointed_out(train, matched, random):
    names = ("block1.a", "neck.b", "proposals.c", "head.d")
    model = keras.Sequential([keras.Input((2,)), *(keras.layers.Dense(2, name=name) for name in names)])
    model.weights_report = SimpleNamespace(matched=matched)
    phases = [Phase(train)]
    found = find_warnings(parse(["--task", "object_detection"]), model, phases, plan_phases(model, phases), 5000)
    sentence = (
        f"weights are random and never trained in: {', '.join(random)}; give train: {random[0]}" if random else ""
    )
    assert found == [sentence] * bool(random)


def test_a_recipe_beside_phases_is_pointed_out():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="head.output")])
    phases, flags = [Phase("head")], ["--phases", "[{train: head}]"]
    for recipe, found in (("fine_tuning", ["recipe fine_tuning has no effect beside phases"]), (None, [])):
        config = parse([*flags, *(["--recipe", recipe] if recipe else [])])
        assert find_warnings(config, model, phases, plan_phases(model, phases), 5000) == found


def test_statistics_that_the_classifier_did_not_learn_with_are_pointed_out():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="head.output")])
    phases, flags = [Phase("head")], ["--adaptation.target", "photos", "--adaptation.method"]
    for method, policy, count in (("adabn", "inference", 1), ("tent", "recalibrate", 0), ("mcc", "inference", 0)):
        found = find_warnings(
            parse([*flags, method, "--batch_norm", policy]), model, phases, plan_phases(model, phases), 5000
        )
        assert len(found) == count and all("--batch_norm recalibrate" in sentence for sentence in found)


CACHED = {
    "model.dropout": 0.3,
    "model.head_blocks": "all",
    "cache.mode": "on",
    "phases": "[{train: head, epochs: 2}, {train: top, epochs: 3}]",
}


@pytest.fixture(scope="module")
def cached_run(image_folder, tmp_path_factory):
    """The model and the history of an uninterrupted run with its activations in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)
        patch.setattr("tl_keras.training.results._write_report", lambda *_: None)
        return trained(arguments(image_folder, tmp_path_factory.mktemp("cached") / "run", **CACHED))


@pytest.mark.usefixtures("small_network")
def test_a_run_with_a_cache_resumes_where_it_stopped(cached_run, image_folder, tmp_path, monkeypatch):
    whole, history = cached_run
    flags = arguments(image_folder, tmp_path / "stopped", **CACHED)
    with monkeypatch.context() as patch:
        patch.setattr("tl_keras.callbacks.ProgressLines.on_epoch_begin", stop_at(3))
        with pytest.raises(KeyboardInterrupt):
            train.run_training(parse(flags))
    resumed, resumed_history = trained(flags)
    for one, other in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert resumed_history == history


def stop_at(epoch):
    from tl_keras.callbacks import ProgressLines

    begin = ProgressLines.on_epoch_begin

    def stop(self, number, logs=None):
        if number == epoch:
            raise KeyboardInterrupt
        begin(self, number, logs)

    return stop


@pytest.mark.usefixtures("small_network")
def test_recalibration_moves_the_statistics_once_and_a_run_with_it_resumes(image_folder, tmp_path, monkeypatch, capsys):
    more = {"batch_norm": "recalibrate", "phases": "[{train: head}, {train: top}]"}
    flags = arguments(image_folder, tmp_path / "run", **more)
    with monkeypatch.context() as patch:
        patch.setattr("tl_keras.callbacks.ProgressLines.on_epoch_begin", stop_at(1))
        with pytest.raises(KeyboardInterrupt):
            train.run_training(parse(flags))
    assert "the statistics of 4 layers were estimated anew" in capsys.readouterr().out
    model, _ = trained(flags)
    assert "estimated anew" not in capsys.readouterr().out
    assert abs(model.get_layer("stem.bn").moving_mean.numpy()).max() > 0


@pytest.mark.usefixtures("small_network")
def test_trained_statistics_end_as_those_of_the_training_data(image_folder, tmp_path, capsys):
    phases = "[{train: head}, {train: top, epochs: 2}]"
    flags = arguments(image_folder, tmp_path / "run", batch_norm="train", phases=phases)
    model, _ = trained(flags)
    assert "the statistics of 1 layer were estimated anew on the training data" in capsys.readouterr().out
    first, last = model.get_layer("stem.bn"), model.get_layer("top.bn")
    assert not first.moving_mean.numpy().any(), "the blocks that no phase trains keep theirs"
    config = parse(flags)
    splits = TASKS[config.task].load_data(config)
    inner = keras.Model(model.input, last.input)
    values = np.asarray(inner(splits.train.images.astype("float32")))
    means = values.mean(axis=tuple(range(values.ndim - 1)))
    np.testing.assert_allclose(last.moving_mean.numpy(), means, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("small_network")
def test_a_plateau_is_recorded_and_ends_a_phase_of_a_run(image_folder, tmp_path):
    phases = "[{train: head, epochs: 9, until: {patience: 1, min_delta: 1000.0}}, {train: top, epochs: 1}]"
    _, history = trained(arguments(image_folder, tmp_path / "run", phases=phases))
    assert len(history["loss"]) == 3
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["ended_by"] for line in log if line["event"] == "phase"] == ["plateau", "epochs"]


@pytest.mark.usefixtures("small_network")
def test_few_examples_are_compared_without_validation_and_the_head_is_solved(image_folder, tmp_path, capsys):
    flags = {
        "model.head_blocks": "all",
        "model.weights": "imagenet",
        "recipe": "few_shot",
        "unfreeze_from": "top",
        "epochs": 4,
    }
    settings = arguments(image_folder, tmp_path / "run", **flags)
    place = settings.index("--phases")
    del settings[place : place + 2]
    run, history = trained(settings)
    output = capsys.readouterr().out
    assert "30 training, 6 test images" in output and "phase 1/1, training by comparing: top\n" in output
    assert list(history) == ["loss"] and len(history["loss"]) == 4


@pytest.mark.usefixtures("small_network")
def test_the_rate_of_a_contrastive_phase_is_searched_with_its_own_loss(image_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    losses = []
    monkeypatch.setattr(
        "tl_keras.transfer.find_learning_rate",
        lambda model, data, highest: losses.append(model.loss) or curve_of_nothing(),
    )
    flags = arguments(image_folder, tmp_path / "run", phases="[{train: [top], objective: contrastive}]")
    train.find_learning_rate(parse(flags))
    assert type(losses[0]).__name__ == "SupervisedContrastive"


def curve_of_nothing():
    from tl_keras.transfer import LearningRateCurve

    values = np.array([1e-3, 1e-2])
    return LearningRateCurve(values, values, values, None)


def test_the_optimizer_is_made_as_configured():
    optimizer = make_optimizer(OptimizerConfig(1e-3, clip_norm=1.0, accumulation_steps=2, ema_momentum=0.9))
    assert (optimizer.weight_decay, optimizer.global_clipnorm, optimizer.ema_momentum) == (1e-3, 1.0, 0.9)
    assert (optimizer.gradient_accumulation_steps, optimizer.use_ema) == (2, True)


@pytest.mark.usefixtures("small_network")
def test_a_cache_on_the_disk_changes_no_bit_and_serves_another_head(cached_run, image_folder, tmp_path, monkeypatch):
    plain, _ = cached_run
    flags = CACHED | {"cache.folder": tmp_path / "cache"}
    stored, _ = trained(arguments(image_folder, tmp_path / "disk", **flags))
    for one, other in zip(plain.weights, stored.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    written = {path.name: path.stat().st_ino for path in (tmp_path / "cache").glob("*.activations")}
    monkeypatch.setattr("tl_keras.callbacks.ProgressLines.on_epoch_begin", stop_at(0))
    with pytest.raises(KeyboardInterrupt):
        trained(arguments(image_folder, tmp_path / "next", **flags, **{"model.label_smoothing": 0.1}))
    assert {path.name: path.stat().st_ino for path in (tmp_path / "cache").glob("*.activations")} == written


@pytest.mark.usefixtures("small_network")
@pytest.mark.parametrize(
    ("phase", "telling"),
    [
        ("{train: head, until: {monitor: val_acuracy}}", "metric to watch 'val_acuracy': did you mean 'val_accuracy'"),
        ("{train: head, restore_best: true, until: {monitor: f1}}", "metric to watch 'f1'"),
    ],
)
def test_a_metric_that_no_epoch_will_report_is_refused_before_anything_is_computed(
    image_folder, tmp_path, capsys, phase, telling
):
    with pytest.raises(InputError, match=telling):
        trained(arguments(image_folder, tmp_path / "run", phases=f"[{phase}]"))
    assert "cache" not in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


class Spoil:
    """Makes a weight NaN before the given steps of a run, counted from 0 over all its attempts."""

    def __init__(self, *doomed):
        self.doomed, self.steps = doomed, -1

    def patch(self, monkeypatch):
        spoiler = self

        def spoil(callback, batch, logs=None):
            spoiler.steps += 1
            if spoiler.steps in spoiler.doomed:
                kernel = callback.model.get_layer("head.logits").kernel
                kernel.assign(kernel * np.nan)

        monkeypatch.setattr("tl_keras.callbacks.ProgressLines.on_train_batch_begin", spoil, raising=False)


@pytest.mark.usefixtures("small_network")
def test_after_a_loss_that_is_no_number_the_run_continues_from_before_at_a_tenth_of_the_rate(
    image_folder, tmp_path, monkeypatch, capsys
):
    Spoil(7).patch(monkeypatch)
    phases = "[{train: head, epochs: 2}, {train: top, epochs: 2}]"
    flags = arguments(image_folder, tmp_path / "run", checkpoint_every="1 steps", phases=phases)
    model, history = trained(flags)
    printed = capsys.readouterr().out
    assert "the loss or a weight was not finite at batch 2 of epoch 3: continuing from the newest checkpoint" in printed
    assert "resuming after epoch 2 and 1 step" in printed
    assert np.isfinite(history["loss"]).all() and len(history["loss"]) == 4
    assert all(np.isfinite(weight).all() for weight in model.weights)


@pytest.mark.usefixtures("small_network")
def test_a_loss_that_is_no_number_twice_ends_the_run_and_names_the_batch(image_folder, tmp_path, monkeypatch, capsys):
    # Losses are read at the end of an epoch of three steps: the second attempt begins with step 3.
    Spoil(0, 4).patch(monkeypatch)
    with pytest.raises(SystemExit) as stop:
        run_verb(train.main, arguments(image_folder, tmp_path / "run"))
    assert stop.value.code == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "at batch 2 of epoch 1, even at a tenth of the rate" in error


@pytest.mark.usefixtures("small_network")
def test_a_full_disk_ends_the_run_in_one_sentence_and_it_resumes_later(image_folder, tmp_path, monkeypatch, capsys):
    flags = arguments(image_folder, tmp_path / "run", phases="[{train: head, epochs: 4}]")
    folder = tmp_path / "run" / "checkpoints"

    def fill(folder, epochs, *more):
        if epochs == 3:
            patch.setattr(np, "savez", lambda file, **arrays: os.write(os.open("/dev/full", os.O_WRONLY), b"x"))
        write_checkpoint(folder, epochs, *more)

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr("tl_keras.callbacks.checkpoints.write_checkpoint", fill)
        run_verb(train.main, flags)
    assert stop.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: The disk is full") and "resume with `python -m" in error and error.count("\n") == 1
    assert sorted(path.name for path in folder.glob("*.npz")) == ["00001-000000000.npz", "00002-000000000.npz"]
    _, history = trained(flags)
    assert len(history["loss"]) == 4
    assert "resuming after epoch 2," in capsys.readouterr().out


@pytest.mark.usefixtures("small_network")
def test_a_disk_that_is_too_small_is_refused_before_training(image_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("shutil.disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, 1000))
    with pytest.raises(InputError, match="has 0.0 MB for a run whose checkpoints and model need 0.[1-9] MB"):
        trained(arguments(image_folder, tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("small_network")
def test_weights_to_begin_with_that_are_no_numbers_are_one_sentence(image_folder, tmp_path, monkeypatch):
    real = preparation.build_model

    def build(*given):
        model = real(*given)
        model.weights[-1].assign(np.full(model.weights[-1].shape, np.nan))
        return model

    monkeypatch.setattr(preparation, "build_model", build)
    with pytest.raises(InputError, match="An initial weight is not a finite number"):
        trained(arguments(image_folder, tmp_path / "run"))
