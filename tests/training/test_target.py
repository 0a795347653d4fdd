import pytest

from tests.training.test_adapting import flags, target_folder
from tl_keras import train
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.tasks.registry import TASKS
from tl_keras.training.target import check_method, describe_target, load_target

__all__ = ["target_folder"]
BLOCKS = ["stem", "top", "head"]


def test_a_target_of_a_few_images_is_refused(image_folder, target_folder, tmp_path, small_network):
    few = tmp_path / "few"
    few.mkdir()
    for image in sorted((target_folder / "red").iterdir())[:5]:
        (few / image.name).write_bytes(image.read_bytes())
    with pytest.raises(InputError, match="has 5 examples to adapt to: expected at least 16"):
        train.main(flags(image_folder, few, "mcc", tmp_path / "run"))


@pytest.mark.parametrize(
    ("trained", "message"),
    [("head", "but the head alone would learn: give --adaptation.train top"), ("topp", "'topp'.*did you mean 'top'")],
)
def test_what_could_not_learn_is_refused_before_anything_is_trained(
    trained, message, image_folder, target_folder, tmp_path, small_network
):
    run = tmp_path / "run"
    with pytest.raises(InputError, match=message):
        train.main(flags(image_folder, target_folder, "dann", run, **{"--adaptation.train": trained}))
    assert not run.exists()


@pytest.mark.parametrize(
    "settings",
    [
        ["--adaptation.train", "head"],
        ["--adaptation.train", "[head]"],
        ["--phases", "[{train: top}, {train: head}]"],
        ["--recipe", "feature_extraction"],
    ],
)
def test_a_head_that_is_trained_alone_is_refused_without_data(settings):
    config = parse(["--adaptation.method", "mmd", "--adaptation.target", "x", *settings])
    with pytest.raises(InputError, match="give --adaptation.train top, or an earlier block"):
        check_method(config, BLOCKS)
    check_method(config, None)


@pytest.mark.parametrize("settings", [[], ["--adaptation.train", "top"], ["--phases", "[{train: top}]"]])
def test_more_than_the_head_passes(settings):
    check_method(parse(["--adaptation.method", "mmd", "--adaptation.target", "x", *settings]), BLOCKS)


def test_the_labels_of_the_target_are_hidden_and_a_part_is_kept_for_the_report(image_folder, target_folder, tmp_path):
    config = parse(flags(image_folder, target_folder, "mcc", tmp_path / "run"))
    target = load_target(config, TASKS[config.task].load_data(config))
    assert not target.splits.train.labels.any() and set(target.splits.test.labels) <= {0, 1, 2}
    assert target.upper_bound_splits is None
    assert describe_target(target) == "target: 27 examples without labels, 9 with labels for the report"
