import pytest

from tl_keras.cli.label_data import names_data, parse_data
from tl_keras.errors import InputError


def test_a_finished_run_stands_for_its_data_and_settings(finished_run):
    folder, _ = finished_run
    config = parse_data([str(folder), "--seed", "7"])
    assert (config.recipe, config.phases, config.seed, config.data.image_size) == ("auto", None, 7, 32)
    assert config.data.path.endswith("images0") and config.model.head_blocks is None


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
