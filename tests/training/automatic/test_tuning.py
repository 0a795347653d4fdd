import shutil
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tests.models.small_backbone import small_backbone
from tests.training.automatic.long_texts import write_long_texts
from tl_keras import train
from tl_keras.config import DataConfig, RunConfig
from tl_keras.config.parsing import parse
from tl_keras.runs.run_folder import RunFolder
from tl_keras.system.time_limit import TimeLimit
from tl_keras.tasks.image_classification import ImageClassification
from tl_keras.tasks.text_classification import TextClassification
from tl_keras.training.automatic.tuning import SOLVED, TUNED, TUNED_AND_SOLVED, _judge, reason_against


def test_tuning_is_kept_only_if_it_gains_more_than_the_standard_error():
    solved = np.array([1.0, 0.6, 0.8, 0.4])
    assert _judge({SOLVED: solved, TUNED: solved - [0.5, 0.3, 0.5, 0.1]})[0] == TUNED
    assert _judge({SOLVED: solved, TUNED: solved - [0.9, -0.7, 0.5, -0.5]})[0] == SOLVED
    assert _judge({SOLVED: solved, TUNED: solved + 1})[0] == SOLVED
    kept, line = _judge({SOLVED: solved, TUNED: solved + 1, TUNED_AND_SOLVED: solved - [0.5, 0.3, 0.5, 0.1]})
    assert kept == TUNED_AND_SOLVED
    assert "solved head 0.700, tuned network 1.700" in line


def solved_on(count, seconds_per_example):
    examples = SimpleNamespace(labels=range(count), folds=[(range(8), range(2))])
    return SimpleNamespace(examples=examples, reader=SimpleNamespace(seconds_per_example=seconds_per_example))


@pytest.mark.parametrize(("seconds", "per_example"), [(None, 9.0), (9, None), (9, 0.1)])
def test_tuning_is_tried_if_an_epoch_fits(seconds, per_example):
    assert reason_against(RunConfig(), solved_on(50, per_example), TimeLimit(seconds)) == ""


def test_tuning_is_not_tried_if_no_epoch_fits():
    solved = solved_on(100, 0.1)
    line = "tuning is not tried: 9 s of max_time are left, and an epoch would take at least 10 s"
    assert reason_against(RunConfig(), solved, TimeLimit(9)) == line
    solved.reader.seconds_per_example = None
    line = "tuning is not tried: 0 s of max_time are left"
    assert reason_against(RunConfig(), solved, TimeLimit(9, started=0)) == line


def test_few_texts_are_tuned_but_few_images_and_texts_of_several_labels_are_not():
    solved = solved_on(29, None)
    texts = RunConfig(task="text_classification")
    assert reason_against(texts, solved, TimeLimit(None)) == ""
    for config in (RunConfig(), replace(texts, data=replace(texts.data, multi_label=True))):
        assert reason_against(config, solved, TimeLimit(None)).startswith("tuning is tried from ")
    solved.examples.folds = []
    assert "no class has a second example" in reason_against(texts, solved, TimeLimit(None))


@pytest.fixture(autouse=True)
def tried_with_few(monkeypatch, small_network, tmp_path):
    try_with_few(monkeypatch, tmp_path)


def try_with_few(patch, folder):
    """Lets 30 labels be tuned, and keeps the features in a cache of the test's own."""
    patch.setenv("XDG_CACHE_HOME", str(folder / "user_cache"))
    patch.setattr(ImageClassification, "min_tuned_labels", 30)


def run_auto(image_folder, folder):
    config = RunConfig(data=DataConfig(path=str(image_folder), image_size=32), run=str(folder))
    return RunFolder(train.run_training(config))


@pytest.fixture(scope="module")
def tried(image_folder, tmp_path_factory):
    """The folder of a run that was stopped after its trial, before it wrote results, and of its features."""
    folder = tmp_path_factory.mktemp("tried")
    with pytest.MonkeyPatch.context() as patch:
        try_with_few(patch, folder)
        patch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)
        patch.setattr("tl_keras.training.run.write_results", lambda *_: pytest.fail("stopped"))
        with pytest.raises(pytest.fail.Exception, match="stopped"):
            run_auto(image_folder, folder / "run")
    return folder


@pytest.mark.usefixtures("report")
@pytest.mark.parametrize("kept", [SOLVED, TUNED, TUNED_AND_SOLVED])
def test_a_run_ends_with_what_the_trial_chose(tried, image_folder, tmp_path, monkeypatch, kept):
    judged = {}

    def judge(losses):
        judged.update(losses)
        return kept, "as asked"

    monkeypatch.setattr("tl_keras.training.automatic.tuning._judge", judge)
    shutil.copytree(tried, tmp_path, dirs_exist_ok=True)
    run = run_auto(image_folder, tmp_path / "run")
    assert set(judged) == {SOLVED, TUNED, TUNED_AND_SOLVED}
    assert all(len(losses) == 6 for losses in judged.values())
    assert run.read_json("history.json")["val_loss"]
    assert (run / "history.png").exists()
    assert "as asked" in (run / "report.html").read_text(encoding="utf-8")
    trained = "24" if kept == TUNED else "30"
    card = (run / "model_card.md").read_text(encoding="utf-8")
    assert f"| Training examples | {trained} |" in card and f"; {kept} |" in card
    assert keras.models.load_model(run / "model.keras").output_shape == (None, 3)


def test_texts_in_windows_are_judged_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(TextClassification, "min_tuned_labels", 10)
    monkeypatch.setattr(TextClassification, "max_compared_labels", 0)
    judged = {}
    monkeypatch.setattr(
        "tl_keras.training.automatic.tuning._judge", lambda losses: judged.update(losses) or (TUNED, "as asked")
    )
    path = train.run_training(parse([*write_long_texts(tmp_path), "--run", str(tmp_path / "run")]))
    assert len({len(losses) for losses in judged.values()}) == 1
    assert RunFolder(path).read_json("metrics.json")["held_out"]["examples"] == 16
