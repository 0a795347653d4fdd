import subprocess
import sys
from pathlib import Path

import pytest

from tl_keras.config import DataConfig, RunConfig
from tl_keras.config.config_text import config_text
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.phases import Phase

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "config.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def test_flags_override_the_file_which_overrides_the_defaults(written):
    path = written("seed: 3\ndata: {batch_size: 16, image_size: 64}\nphases: [{train: head, learning_rate: 1e-4}]\n")
    config = parse(["--config", path, "--data.batch_size", "8"])
    data = DataConfig(batch_size=8, image_size=64)
    assert config == RunConfig(seed=3, data=data, phases=[Phase("head", learning_rate=1e-4)])


def test_no_flags_give_the_defaults():
    assert parse([]) == RunConfig()


def test_the_error_of_an_optional_choice_names_the_nearest_value(capsys):
    with pytest.raises(InputError, match="Unknown data.augmentation 'lightt': did you mean 'light'"):
        parse(["--data.augmentation", "lightt"])


def test_print_config_describes_every_key_and_reads_back(capsys, written):
    with pytest.raises(SystemExit) as stop:
        parse(["--seed", "5", "--phases", "[{train: head, learning_rate: 1e-5}]", "--print_config"])
    printed = capsys.readouterr().out
    assert stop.value.code == 0
    assert "# Number of examples in a training step, at least 1" in printed and "\n  batch_size: 32\n" in printed
    assert "(type:" not in printed
    assert parse(["--config", written(printed)]) == RunConfig(seed=5, phases=[Phase("head", learning_rate=1e-5)])


@pytest.mark.parametrize(("value", "expected"), [("all", "all"), ("[block4, block5]", ["block4", "block5"])])
def test_the_blocks_of_a_head_are_a_word_or_a_list_in_flags_and_files(written, value, expected):
    config = parse(["--model.head_blocks", value])
    assert config.model.head_blocks == expected
    assert parse(["--config", written(config_text(config))]) == config


def test_a_phase_can_be_appended_by_a_flag():
    assert parse(["--phases+={train: head}"]).phases == [Phase("head")]


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["--phases.help"], 0), (["--print_config"], 0), (["--sed", "1"], 2)]
)
def test_commands_without_training_load_neither_tensorflow_nor_keras(arguments, code):
    command = [sys.executable, "-X", "importtime", "-m", "tl_keras.train", *arguments]
    process = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert process.returncode == code
    imported = {line.rsplit("|")[-1].strip() for line in process.stderr.splitlines() if line.startswith("import time:")}
    assert "tl_keras.config.parsing" in imported
    assert not {"tensorflow", "keras", "keras_hub"} & imported


def test_parse_raises_input_errors():
    with pytest.raises(InputError, match="Unknown flag '--sed'"):
        parse(["--sed", "1"])


@pytest.mark.parametrize("arguments", [["--resume"], ["--resume", "--run", "x"], ["--run", "x", "--resume", "auto"]])
def test_resume_needs_no_value(arguments):
    assert parse(arguments).resume == "auto"


def test_resume_must_needs_the_run_folder():
    with pytest.raises(InputError, match="give --run FOLDER"):
        parse(["--resume", "must"])


@pytest.mark.parametrize(
    "arguments", [["--model.dropout={}"], ["--model.dropout", "-{}"], ["--optimizer.clip_norm", "{}"]]
)
def test_a_flag_with_a_number_beyond_floating_point_is_named(arguments):
    with pytest.raises(InputError, match=rf"{arguments[0].partition('=')[0]} got a number of 309 digits"):
        parse([argument.format("9" * 309) for argument in arguments])
