from types import SimpleNamespace

import pytest

from tl_keras.cli import label_data
from tl_keras.cli.label_data import check_next_settings, names_data, parse_data
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.tasks.registry import TASKS


def test_a_finished_run_stands_for_its_data_and_settings(tmp_path, monkeypatch):
    (tmp_path / "config.yaml").touch()
    settings = ["--data.path", "photos", "--recipe", "feature_extraction", "--model.head_blocks", "all"]
    asked = []

    def load_run(path, flags):
        asked.append((path, flags))
        config = parse([*settings, *flags])
        return SimpleNamespace(config=config, task=TASKS[config.task])

    monkeypatch.setattr(label_data, "load_run", load_run)
    config = parse_data([str(tmp_path), "--seed", "7"])
    assert asked == [(str(tmp_path), ["--seed", "7"])]
    assert (config.data.path, config.seed, config.recipe, config.phases) == ("photos", 7, "auto", None)
    assert config.model.head_blocks is None
    with pytest.raises(InputError, match="The task of the run is object_detection"):
        parse_data([str(tmp_path), "--task", "object_detection", "--model.head_blocks", "null"])


def test_an_unfinished_run_is_refused(tmp_path):
    (tmp_path / "config.yaml").write_text("task: image_classification\n")
    with pytest.raises(InputError, match="is not finished"):
        parse_data([str(tmp_path)])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["photos"], True),
        (["--task", "text_classification"], False),
        (["--data.path=x"], True),
        (["--seed", "1"], False),
    ],
)
def test_data_are_named_by_a_path_or_a_file(arguments, expected):
    assert names_data(arguments) is expected


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--recipe", "auto", "--data.multi_label", "true"], "one label per example"),
        (["--recipe", "feature_extraction"], "the recipe is feature_extraction"),
    ],
)
def test_settings_that_choose_no_labels_are_refused(flags, message):
    with pytest.raises(InputError, match=message):
        check_next_settings(parse(["photos", *flags]))
