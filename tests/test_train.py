import json
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

import tl_keras as tl
from tests.models.small_backbone import small_backbone
from tl_keras import callbacks, evaluate, train
from tl_keras.cli.verbs import run_verb
from tl_keras.config.parsing import parse

FILES = [
    "SHA256SUMS",
    "config.yaml",
    "versions.json",
    "data.json",
    "log.jsonl",
    "model.keras",
    "metrics.json",
    "history.json",
    "confusion_matrix.png",
    "mistakes.png",
    "history.png",
    "report.html",
    "model_card.md",
]


@pytest.mark.parametrize("name", FILES)
def test_a_run_leaves(finished_run, name):
    folder, _ = finished_run
    assert (folder / name).stat().st_size > 0


def test_a_run_tells_what_it_does_and_what_to_type_next(finished_run):
    folder, printed = finished_run
    lines = printed.splitlines()
    assert lines[0] == "24 training, 6 validation, 6 test images of 3 classes, 32 × 32 pixels"
    assert sum(line.startswith("  epoch") for line in lines) == 3
    assert "phase 2/2, learning: top, head" in lines
    assert sum(line.startswith("  audit") for line in lines) == 2
    assert any(line.startswith("test: accuracy") and "macro_f1" in line for line in lines)
    assert f"run folder: {folder}" in lines
    assert lines[-1] == f"next: python -m tl_keras.predict {folder} FILE_OR_FOLDER"


def test_pretrained_features_tell_colours_apart(finished_run):
    folder, _ = finished_run
    assert json.loads((folder / "metrics.json").read_text())["accuracy"] >= 0.8


def test_the_model_opens_without_this_package_and_predicts_the_same(finished_run, image_folder, tmp_path):
    folder, _ = finished_run
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype("uint8")
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, keras, numpy as np\n"
        "sys.modules['tl_keras'] = None\n"
        f"model = keras.models.load_model({str(folder / 'model.keras')!r})\n"
        f"np.save('probabilities.npy', model.predict(np.load('images.npy'), verbose=0))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, capture_output=True)
    ours = tl.load_run(folder).predict(images)
    np.testing.assert_allclose(np.load(tmp_path / "probabilities.npy"), ours, atol=1e-6)


def test_the_written_configuration_is_the_one_that_ran(finished_run, tiny_arguments):
    folder, _ = finished_run
    again = parse(["--config", str(folder / "config.yaml")])
    assert again == parse([*tiny_arguments, "--run", str(folder)])


def test_a_finished_run_is_shown_and_not_trained_again(finished_run, tiny_arguments, capsys, monkeypatch):
    folder, _ = finished_run
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    train.main([*tiny_arguments, "--run", str(folder)])
    assert "test: accuracy" in capsys.readouterr().out


@pytest.fixture(scope="module")
def small_run(tiny_arguments, tmp_path_factory):
    """The folder of a run of the small network that nothing interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)
        return train.run_training(parse([*tiny_arguments, "--run", str(tmp_path_factory.mktemp("runs") / "whole")]))


@pytest.mark.usefixtures("small_network")
@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_an_interrupted_run_goes_on_to_the_same_weights(
    small_run, tiny_arguments, tmp_path, monkeypatch, capsys, epoch
):
    arguments = [*tiny_arguments, "--run", str(tmp_path / "run")]
    save = callbacks.SaveCheckpoints.on_epoch_end

    def save_and_stop(self, number, logs=None):
        save(self, number, logs)
        if number == epoch:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tl_keras.callbacks.checkpoints.SaveCheckpoints.on_epoch_end", save_and_stop)
        with pytest.raises(SystemExit) as stop:
            run_verb(train.main, arguments)
    assert stop.value.code == 130
    assert "resume with" in capsys.readouterr().out
    train.main(arguments)
    expected, resumed = (keras.models.load_model(path / "model.keras") for path in (small_run, tmp_path / "run"))
    for one, other in zip(expected.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for name in ("metrics.json", "history.json"):
        assert (small_run / name).read_text() == (tmp_path / "run" / name).read_text()


def test_another_configuration_in_the_same_folder_is_refused(finished_run, tiny_arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        run_verb(train.main, [*tiny_arguments, "--run", str(finished_run[0]), "--data.batch_size", "4"])
    assert stop.value.code == 2
    assert "data.batch_size" in capsys.readouterr().err


@pytest.mark.usefixtures("small_network")
def test_data_that_changed_are_refused_by_train_and_evaluate(image_folder, tiny_arguments, tmp_path, monkeypatch):
    folder = tmp_path / "pictures"
    shutil.copytree(image_folder, folder)
    arguments = [*tiny_arguments, "--data.path", str(folder), "--run", str(tmp_path / "run")]
    with monkeypatch.context() as patch:
        patch.setattr("tl_keras.training.fitting.fit_phases", stop)
        with pytest.raises(KeyboardInterrupt):
            train.main(arguments)
    (folder / "red" / "red-00.png").rename(folder / "red" / "renamed.png")
    with pytest.raises(tl.InputError, match="24 training, 6 validation, 6 test, 3 classes then"):
        train.main(arguments)
    (folder / "red" / "renamed.png").rename(folder / "red" / "red-00.png")
    train.main(arguments)
    assert not (tmp_path / "run" / "checkpoints").exists()
    (folder / "red" / "red-00.png").unlink()
    with pytest.raises(tl.InputError, match="The data changed"):
        evaluate.evaluate_run(tl.load_run(tmp_path / "run"))


def stop(*_arguments, **_named):
    raise KeyboardInterrupt


def test_weights_of_an_older_run_are_told(finished_run, tiny_arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tl_keras.training.fitting.fit_phases", stop)
    with pytest.raises(KeyboardInterrupt):
        train.main([*tiny_arguments, "--model.weights", str(finished_run[0]), "--run", str(tmp_path / "run")])
    assert "kept classes: blue, green, red" in capsys.readouterr().out


def test_bad_data_leave_no_run_folder_behind(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as stop:
        run_verb(train.main, ["--data.path", str(tmp_path / "empty"), "--run", str(tmp_path / "run")])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_bad_data_are_refused_before_tensorflow_is_loaded(tmp_path):
    code = (
        "import sys\n"
        "from tl_keras import train\n"
        "try:\n"
        f"    train.main(['--data.path', {str(tmp_path / 'nothing')!r}, '--run', {str(tmp_path / 'run')!r}])\n"
        "except ValueError:\n"
        "    sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.usefixtures("small_network")
def test_bad_files_can_be_skipped_and_are_reported(image_folder, tiny_arguments, tmp_path):
    folder = tmp_path / "pictures"
    shutil.copytree(image_folder, folder)
    (folder / "red" / "page.jpg").write_text("<html></html>")
    arguments = [*tiny_arguments, "--data.path", str(folder), "--run", str(tmp_path / "run")]
    with pytest.raises(tl.InputError, match="red/page.jpg"):
        train.main(arguments)
    with pytest.raises(tl.InputError, match="2.7%, where .* 1% at most: red/page.jpg .* --data.max_bad_files 0.028"):
        train.main([*arguments, "--data.on_bad_file", "skip"])
    train.main([*arguments, "--data.on_bad_file", "skip", "--data.max_bad_files", "0.028"])
    assert "red/page.jpg" in (tmp_path / "run" / "report.html").read_text()
    skipped = (tmp_path / "run" / "skipped.txt").read_text()
    assert skipped == "red/page.jpg\tnot an image that can be recognised\n"


@pytest.mark.usefixtures("small_network")
def test_multi_label_and_balanced_weights_run_to_their_end(image_folder, tiny_arguments, tmp_path):
    rows = ["path,label"]
    for path in sorted(image_folder.glob("*/*.png")):
        extra = "|warm" if path.parent.name == "red" else ""
        rows.append(f"{path.relative_to(image_folder)},{path.parent.name}{extra}")
    (image_folder / "labels.csv").write_text("\n".join(rows))
    flags = ["--data.path", str(image_folder / "labels.csv"), "--data.multi_label", "true"]
    folder = train.run_training(parse([*tiny_arguments, *flags, "--run", str(tmp_path / "run")]))
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["per_class"]) == {"blue", "green", "red", "warm"}
    assert "subset_accuracy" in metrics


def test_phases_are_printed_in_place_of_a_run_and_read_back(image_folder, tmp_path, capsys):
    flags = ["--data.path", str(image_folder), "--model.weights", "none", "--data.augmentation", "none"]
    train.main([*flags, "--recipe", "linear_probe_then_fine_tune", "--run", str(tmp_path / "run"), "--print_phases"])
    printed = capsys.readouterr().out
    assert "phase 1: reads the output of head.pool, 0.2 MB in memory" in printed
    assert "learning rates of stem: stem 1.2e-05" in printed
    _, text = printed.split("phases:\n")
    file = tmp_path / "phases.yaml"
    file.write_text("phases:\n" + text)
    phases = parse(["--config", str(file)]).phases
    assert [(phase.train, phase.block_decay) for phase in phases] == [("head", 1.0), ("stem", 0.7)]
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("small_network")
def test_a_learning_rate_is_searched_in_place_of_a_run(image_folder, tmp_path, capsys):
    flags = ["--data.path", str(image_folder), "--data.image_size", "32"]
    train.main([*flags, "--run", str(tmp_path / "run"), "--find_learning_rate"])
    assert "phase head: suggested learning_rate" in capsys.readouterr().out
    assert (tmp_path / "run-learning_rate.png").stat().st_size > 0
    assert not (tmp_path / "run").exists()


def test_lora_needs_dense_layers(image_folder, tmp_path):
    with pytest.raises(tl.InputError, match="ConvNeXt|convnext"):
        train.main(["--data.path", str(image_folder), "--run", str(tmp_path / "run"), "--model.lora_rank", "4"])


@pytest.mark.usefixtures("small_network")
def test_a_run_within_a_time_says_why_its_phases_end(image_folder, tmp_path, capsys):
    flags = ["--data.path", str(image_folder), "--data.image_size", "32", "--max_time", "0.1s"]
    train.main([*flags, "--recipe", "feature_extraction", "--run", str(tmp_path / "run")])
    assert "  ended by time after 1 epoch\n" in capsys.readouterr().out
