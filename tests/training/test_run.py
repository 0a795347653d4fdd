import os
import shutil

import keras
import numpy as np
import pytest

import tl_keras as tl
from tl_keras import callbacks, evaluate, train
from tl_keras.cli.verbs import run_verb
from tl_keras.config.parsing import parse


@pytest.fixture
def old_images(image_folder):
    """The images as if no other test had touched their folders since the run."""
    for path in (image_folder, *image_folder.rglob("*")):
        os.utime(path, (0, 0))
    return image_folder


def test_a_finished_run_is_shown_and_not_trained_again(finished_run, old_images, tiny_arguments, capsys, monkeypatch):
    folder, _ = finished_run
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    train.main([*tiny_arguments, "--run", str(folder)])
    printed = capsys.readouterr().out
    first = f"{folder} is finished: nothing is trained, its results follow (--run with another folder trains again)"
    assert printed.splitlines()[0] == first
    assert "test: accuracy" in printed and "was added or changed" not in printed


def test_data_that_changed_since_a_finished_run_are_named(finished_run, old_images, tiny_arguments, capsys):
    added = old_images / "red" / "added.png"
    shutil.copy(old_images / "red" / "red-00.png", added)
    os.utime(added, (4e9, 4e9))
    train.main([*tiny_arguments, "--run", str(finished_run[0])])
    added.unlink()
    printed = capsys.readouterr().out
    assert (
        f"note: {added} was added or changed since this run read its data, and its results do not include that"
        in printed
    )
    assert "trains on the data as they are now" in printed


@pytest.mark.usefixtures("small_network", "report")
def test_a_run_that_is_interrupted_after_each_phase_resumes_to_the_same_weights(
    finished_run, tiny_arguments, tmp_path, monkeypatch, capsys
):
    arguments = [*tiny_arguments, "--run", str(tmp_path / "run")]
    save = callbacks.SaveCheckpoints.on_epoch_end

    def save_and_stop(self, number, logs=None):
        save(self, number, logs)
        if number == stops[0]:
            stops.pop(0)
            raise KeyboardInterrupt

    stops = [1, 2]
    while stops:
        with monkeypatch.context() as patch:
            patch.setattr("tl_keras.callbacks.checkpoints.SaveCheckpoints.on_epoch_end", save_and_stop)
            with pytest.raises(SystemExit) as stop:
                run_verb(train.main, arguments)
        assert stop.value.code == 130
        assert "resume with" in capsys.readouterr().out
    train.main(arguments)
    expected, resumed = (keras.models.load_model(path / "model.keras") for path in (finished_run[0], tmp_path / "run"))
    for one, other in zip(expected.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for name in ("metrics.json", "history.json"):
        assert (finished_run[0] / name).read_text() == (tmp_path / "run" / name).read_text()
    whole, resumed = ((run / "report.html").read_text(encoding="utf-8") for run in (finished_run[0], tmp_path / "run"))
    assert " s from the start to the report" in whole
    assert " s since the last resume, without the time before" in resumed


def test_another_configuration_in_the_same_folder_is_refused(finished_run, tiny_arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        run_verb(train.main, [*tiny_arguments, "--run", str(finished_run[0]), "--data.batch_size", "4"])
    assert stop.value.code == 2
    assert "data.batch_size" in capsys.readouterr().err


@pytest.mark.usefixtures("small_network")
def test_data_that_changed_are_refused_by_train_and_evaluate(image_folder, tiny_arguments, tmp_path, monkeypatch):
    folder = tmp_path / "images"
    shutil.copytree(image_folder, folder)
    arguments = [*tiny_arguments, "--phases", "[{train: head}]", "--data.path", str(folder)]
    arguments += ["--run", str(tmp_path / "run")]
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


@pytest.mark.usefixtures("small_network")
def test_weights_of_an_older_run_are_reported(finished_run, tiny_arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tl_keras.training.fitting.fit_phases", stop)
    with pytest.raises(KeyboardInterrupt):
        train.main([*tiny_arguments, "--model.weights", str(finished_run[0]), "--run", str(tmp_path / "run")])
    assert "kept classes: blue, green, red" in capsys.readouterr().out


@pytest.mark.usefixtures("small_network")
def test_a_run_within_a_time_says_why_its_phases_end(image_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tl_keras.transfer.unfreezing.phase_seconds", lambda phases, index, seconds_left: 1e-3)
    flags = ["--data.path", str(image_folder), "--data.image_size", "32", "--max_time", "0.1s"]
    train.main([*flags, "--recipe", "feature_extraction", "--run", str(tmp_path / "run")])
    assert "  ended by time after 1 epoch\n" in capsys.readouterr().out


@pytest.mark.usefixtures("small_network")
def test_a_run_leaves_policy_and_seeds_as_they_were(tiny_arguments, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        keras.utils.set_random_seed(5)
        expected = float(keras.random.uniform(())), float(np.random.random())
        keras.utils.set_random_seed(5)
        tl.run_training(parse([*tiny_arguments, "--phases", "[{train: head}]", "--run", str(tmp_path / "run")]))
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        assert (float(keras.random.uniform(())), float(np.random.random())) == expected
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("small_network")
def test_a_tracked_run_is_the_same_run(finished_run, tiny_arguments, tmp_path, monkeypatch):
    calls = []

    class Recording:
        id = None

        def __getattr__(self, method):
            return lambda *arguments: calls.append((method, arguments))

    monkeypatch.setattr("tl_keras.training.run.check_trackers", lambda names: calls.append(("check", names)))
    monkeypatch.setattr("tl_keras.tracking.following.open_tracker", lambda *arguments: Recording())
    train.main([*tiny_arguments, "--run", str(tmp_path / "run"), "--log", "wandb,mlflow"])
    assert calls[0] == ("check", ["wandb", "mlflow"])
    epochs = [arguments[1] for method, arguments in calls if method == "log_figures" and "loss" in arguments[0]]
    assert epochs == [1, 1, 2, 2, 3, 3] and calls[-1] == ("close", (True,))
    assert (tmp_path / "run" / "metrics.json").read_text() == (finished_run[0] / "metrics.json").read_text()


def test_a_tracker_that_is_not_installed_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("tl_keras.tracking.trackers.importlib.util.find_spec", lambda name: None)
    with pytest.raises(tl.InputError, match="--log mlflow needs a package that is missing: pip install mlflow"):
        train.main(["emoji", "--run", str(tmp_path / "run"), "--log", "mlflow"])
    assert not (tmp_path / "run").exists()
