"""Runs with recipe auto, from data to report, on a small random network."""

import contextlib
import io
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

import tl_keras as tl
from tests.models.small_backbone import small_backbone
from tl_keras import probing, train
from tl_keras.config import DataConfig, RunConfig
from tl_keras.errors import InputError
from tl_keras.evaluate import evaluate_run
from tl_keras.runs.run_folder import RunFolder
from tl_keras.system.time_limit import TimeLimit
from tl_keras.tasks.image_classification import ImageClassification
from tl_keras.training.automatic.decisions import for_devices, read_decisions, reason_for_one_device


@pytest.fixture(autouse=True)
def small_sizes(monkeypatch, small_network, tmp_path):
    choose_small_sizes(monkeypatch, tmp_path)


def choose_small_sizes(patch, folder):
    """Lets auto choose between two small sizes, and keep its features in a cache of its own."""
    patch.setenv("XDG_CACHE_HOME", str(folder / "user_cache"))
    patch.setattr(ImageClassification, "candidate_sizes", lambda *_: [32, 48])


@pytest.fixture(scope="module")
def auto_run(image_folder, tmp_path_factory):
    """Folder of a run, and what it printed."""
    folder = tmp_path_factory.mktemp("auto")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as printed:
        choose_small_sizes(patch, folder)
        patch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)
        return run_auto(image_folder, folder / "run"), printed.getvalue()


def run_auto(image_folder, folder, image_size=None, **settings):
    config = RunConfig(data=DataConfig(path=str(image_folder), image_size=image_size), run=str(folder), **settings)
    return RunFolder(train.run_training(config))


def test_a_run_holds_nothing_out_and_reports_what_it_decided(auto_run):
    run, printed = auto_run
    first = "30 training, 6 test images of 3 classes, 32 or 48 pixels wide and high (recipe auto decides)"
    assert printed.splitlines()[0] == first
    assert "cross-validation of the solved head: accuracy" in printed
    assert "features at 32 px: 30 of 30 examples are computed\n" in printed
    assert "auto: tuning is tried from 1,000 labels on, and here are 30" in printed
    metrics = run.read_json("metrics.json")
    low, high = metrics["held_out"]["intervals"]["accuracy"]
    assert low < metrics["held_out"]["accuracy"] <= high
    assert metrics["held_out"]["examples"] == 30
    names = [baseline["name"] for baseline in metrics["baselines"]]
    assert names == ["majority class", "logistic regression on last-layer features"]
    report = (run / "report.html").read_text(encoding="utf-8")
    decisions = [line.removeprefix("auto: ") for line in printed.splitlines() if line.startswith("auto: ")]
    assert [line.split()[:2] for line in decisions] == [["image", "size"], ["head", "on"], ["tuning", "is"]]
    assert all(f"<p>{line}</p>" in report for line in decisions)
    assert "(lower is better; the first within one standard error of the lowest is taken)" in decisions[1]
    card = (run / "model_card.md").read_text(encoding="utf-8")
    assert "auto: head on " in card and "| Validation examples | 0, the choices were cross-validated |" in card


def test_the_saved_model_has_the_decided_size_and_predicts_in_plain_keras(auto_run, tmp_path):
    run = auto_run[0]
    model = keras.models.load_model(run / "model.keras")
    size = run.read_json("decisions.json")["image_size"]
    assert model.input_shape == (None, size, size, 3)
    image = np.full((1, size, size, 3), 100, "uint8")
    trained = tl.load_run(run.path)
    np.testing.assert_allclose(trained.predict(image), model.predict(image, verbose=0), atol=1e-6)
    again = evaluate_run(trained, output=tmp_path / "again").read_json("metrics.json")
    assert again["log_loss"] == pytest.approx(run.read_json("metrics.json")["log_loss"], abs=1e-6)


def test_without_time_the_head_is_solved_at_the_smallest_size_and_nothing_is_tuned(
    image_folder, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(TimeLimit, "left", 0.0)
    run = run_auto(image_folder, tmp_path / "run", max_time="1s")
    printed = capsys.readouterr().out
    assert "max_time 1s: the head is solved first in any case, and tuning gets what is left" in printed
    assert "auto: image size 32: log-loss of held-out examples 32 px" in printed
    assert "; 48 px and more are not tried: the features of 36 images would take about" in printed
    assert "s, 0 s are left" in printed
    assert run.read_json("metrics.json")["accuracy"] > 0.3


def test_a_second_run_computes_no_features_and_ends_the_same(auto_run, image_folder, tmp_path, monkeypatch):
    first = auto_run[0]
    choose_small_sizes(monkeypatch, first.path.parent)
    monkeypatch.setattr("tl_keras.transfer.FrozenPart.compute", lambda *_: pytest.fail("features were computed"))
    second = run_auto(image_folder, tmp_path / "second")
    assert (first / "metrics.json").read_text() == (second / "metrics.json").read_text()


def test_a_resumed_run_repeats_the_recorded_size(image_folder, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("tl_keras.training.run.write_results", lambda *_: pytest.fail("stopped"))
        with pytest.raises(pytest.fail.Exception):
            run_auto(image_folder, tmp_path / "run")
    decisions = tmp_path / "run" / "decisions.json"
    other = {32: 48, 48: 32}[json.loads(decisions.read_text(encoding="utf-8"))["image_size"]]
    decisions.write_text(json.dumps({"image_size": other, "lines": ["as recorded"]}), encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(
            "tl_keras.training.run.write_results", lambda config, *_: pytest.fail(str(config.data.image_size))
        )
        with pytest.raises(pytest.fail.Exception, match=str(other)):
            run_auto(image_folder, tmp_path / "run")


@pytest.mark.parametrize(
    "record", ["{", "[]", "{}", '{"image_size": 1e9, "lines": []}', '{"image_size": 64, "lines": [1]}']
)
def test_a_damaged_record_is_refused_in_a_sentence(tmp_path, record):
    (tmp_path / "decisions.json").write_text(record, encoding="utf-8")
    with pytest.raises(InputError, match="is damaged: remove it"):
        read_decisions(RunFolder(tmp_path))


def test_images_with_several_labels_get_a_sigmoid_for_each(image_folder, tmp_path, capsys):
    files = sorted(path.relative_to(image_folder) for path in image_folder.rglob("*.png"))
    rows = [f"{file},{file.parent}{'|dotted' if number % 2 else ''}" for number, file in enumerate(files)]
    table = image_folder / "several.csv"
    table.write_text("\n".join(["path,label", *rows]), encoding="utf-8")
    data = DataConfig(path=str(table), multi_label=True, image_size=32)
    config = RunConfig(data=data, run=str(tmp_path / "run"))
    run = RunFolder(train.run_training(config))
    table.unlink()
    assert run.read_json("metrics.json")["held_out"]["examples"] == 30
    assert keras.models.load_model(run / "model.keras").layers[-1].activation is keras.activations.sigmoid


def test_a_given_validation_set_selects_and_is_then_trained_on(image_folder, tmp_path, monkeypatch):
    for number, split in enumerate(["train", "train", "val", "test"]):
        for path in image_folder.glob("*/*.png"):
            if int(path.stem[-2:]) % 4 == number:
                target = tmp_path / "split" / split / path.parent.name / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    fits = []
    solve = probing.solve_head
    monkeypatch.setattr(probing, "solve_head", lambda *arguments: fits.append(len(arguments[1])) or solve(*arguments))
    for refit in (None, False):
        data = DataConfig(path=str(tmp_path / "split"), image_size=32)
        config = RunConfig(data=data, run=str(tmp_path / f"{refit}"), refit=refit)
        run = RunFolder(train.run_training(config))
        assert run.read_json("metrics.json")["held_out"]["examples"] == 9
        shown = "9" if refit is False else "9, trained on after they had made the choices"
        assert f"| Validation examples | {shown} |" in (run / "model_card.md").read_text(encoding="utf-8")
    assert fits == [27, 18]


def test_training_without_validation_examples_cannot_leave_them_out(image_folder, tmp_path):
    with pytest.raises(InputError, match="^refit false has no effect without validation examples"):
        run_auto(image_folder, tmp_path / "run", refit=False)
    assert not (tmp_path / "run").exists()


def test_a_class_of_one_example_is_kept(tmp_path):
    generator = np.random.default_rng(0)
    for name, count in (("many", 9), ("few", 1)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(count):
            pixels = generator.integers(0, 255, (40, 40, 3)).astype("uint8")
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    run = run_auto(tmp_path / "photos", tmp_path / "run", image_size=32)
    assert run.read_json("metrics.json")["held_out"]["examples"] == 8
    assert keras.models.load_model(run / "model.keras").output_shape == (None, 2)


@pytest.mark.parametrize(
    ("recipe", "count", "is_one"),
    [("auto", 8000, True), ("auto", 8001, False), ("fine_tuning", 9, False)],
)
def test_recipe_auto_takes_one_device_for_few_labels(recipe, count, is_one):
    splits = SimpleNamespace(train=range(count), validation=range(2000))
    assert bool(reason_for_one_device(RunConfig(recipe=recipe), splits)) == is_one


def test_several_devices_get_a_recipe_with_phases_and_a_validation_set(capsys):
    class TwoDevices:
        num_replicas_in_sync = 2

    config = for_devices(RunConfig(), TwoDevices())
    assert (config.recipe, config.data.augmentation, config.data.validation_fraction) == (
        "progressive_unfreezing",
        "light",
        0.15,
    )
    assert "auto decides on one device" in capsys.readouterr().out
    assert for_devices(config, TwoDevices()) is config
