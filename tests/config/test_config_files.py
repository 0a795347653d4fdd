import pytest

from tl_keras.config import RunConfig
from tl_keras.config.config_files import CONFIG_FOLDER, load_settings
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.system.plain_yaml import load_yaml

INVALID_FILES = [
    ("", "The configuration must be a mapping of keys to values: got None."),
    ("word", "The configuration must be a mapping"),
    ("data:", "data must be a mapping of keys to values: got None."),
    ("data: {batchsize: 3}", "'data.batchsize': did you mean 'data.batch_size'?"),
    ("phases: [{train: head, epoch: 3}]", "did you mean 'phases[1].epochs'?"),
    ("phases: 3", "phases: expected a list, got 3."),
    ("seed: x", "seed: expected a whole number, such as 5, got 'x'."),
    ("run: 3", "run: expected text, got '3'."),
    ("learning_rate: .inf", "learning_rate must be above 0"),
    ("a: [", "is not valid YAML"),
    (b"\xff", "is not valid YAML"),
    ("#" * 64_001, "has more than 64000 bytes"),
    ("epochs: " + "x" * 5000, "epochs has 5,000 characters, expected at most 4096: shorten it."),
    ("seed: " + "9" * 4000, "seed must be a number below 2^63: got 999999"),
    ("epochs: " + "x" * 1000, "epochs: expected a whole number, such as 5, got 'xxxxx"),
    ("task: " + "x" * 1000, "Unknown task 'xxxxx"),
    ("detection: {head_units: [" + "1," * 101 + "]}", "detection.head_units has 101 values, expected at most 100"),
]


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "config.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIG_FOLDER.glob("*.yaml")))
@pytest.mark.parametrize("form", ["--config {}", "--config={}"])
def test_shipped_configurations_are_found_by_name(name, form):
    assert isinstance(parse(form.format(name).split()), RunConfig)


@pytest.mark.parametrize(("text", "expected"), INVALID_FILES, ids=[expected for _, expected in INVALID_FILES])
def test_each_invalid_file_is_refused_in_one_line(text, expected, written):
    with pytest.raises(InputError) as refused:
        parse(["--config", written(text)])
    message = str(refused.value)
    assert "\n" not in message and len(message) < 700
    assert expected in message


def test_values_of_earlier_versions_are_read_by_their_names_of_today(tmp_path):
    path = tmp_path / "old.yaml"
    path.write_text("data: {path: emoji, resize: squash}\n", encoding="utf-8")
    assert parse(["--config", str(path)]).data.resize == "stretch"
    with pytest.raises(InputError, match="data.resize 'squash'.*stretch"):
        parse(["--data.path", "emoji", "--data.resize", "squash"])


@pytest.mark.parametrize("text", ["data: {resize: [squash]}", "resize: squash", "squash", "data: squash"])
def test_other_values_stay(text):
    assert load_settings(text) == load_yaml(text)
