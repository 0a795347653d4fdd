import pytest

from tl_keras.cli.demonstration import is_demonstration
from tl_keras.config.config_files import shipped_configs
from tl_keras.errors import InputError


@pytest.mark.parametrize("arguments", [[], ["--recipe", "fine_tuning"], ["--xla", "--run", "x"], ["--print_phases"]])
def test_a_command_without_data_shows_the_demonstration(arguments):
    assert is_demonstration(arguments, ["--print_phases"])


@pytest.mark.parametrize("name", shipped_configs())
def test_shipped_configurations_name_their_data(name):
    assert not is_demonstration([f"--config={name}"], [])


@pytest.mark.parametrize("arguments", [["photos"], ["--data.path", "photos"], ["--task=x", "--data.path=photos"]])
def test_a_command_may_name_its_data(arguments):
    assert not is_demonstration(arguments, [])


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("seed: 1\n", [], "No data are given beside the configuration 'own.yaml': add the path"),
        ("data: {batch_size: 4}\n", ["--task", "text_classification"], "beside the configuration 'own.yaml'"),
        (None, ["--task", "text_classification"], "beside --task text_classification: add the path of a folder"),
        (None, ["--task=object_detection"], "beside --task object_detection"),
    ],
)
def test_forgotten_data_are_refused(tmp_path, text, more, message):
    (tmp_path / "own.yaml").write_text(text or "")
    config = ["--config", str(tmp_path / "own.yaml")] if text else []
    with pytest.raises(InputError, match=message):
        is_demonstration([*config, *more], [])


def test_a_configuration_of_the_user_may_name_its_data(tmp_path):
    (tmp_path / "own.yaml").write_text("task: text_classification\ndata: {path: texts.csv}\n")
    assert not is_demonstration(["--config", str(tmp_path / "own.yaml")], [])
