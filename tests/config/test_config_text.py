from dataclasses import replace

import pytest

from tl_keras.config import DataConfig, ModelConfig, OptimizerConfig, RunConfig
from tl_keras.config.config_text import READING_FLAGS, config_text, flat_settings, reading_flags
from tl_keras.config.parsing import parse
from tl_keras.phases import Phase
from tl_keras.system.escaping import CONTROL_CHARACTERS

NO_DEFAULTS = RunConfig(
    data=DataConfig(path="a: b # c", image_size=64, validation_fraction=0.2, multi_label=True),
    model=ModelConfig(backbone="keras_hub:preset", weights="none", hidden_units=8),
    phases=[Phase("head"), Phase(["block1", "block2"], 3, 1e-5, block_decay=0.5, schedule="constant", warmup=0.0)],
    optimizer=OptimizerConfig(weight_decay=1e-3),
    seed=7,
    run="runs/ünï code",
)


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "config.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


@pytest.mark.parametrize("config", [RunConfig(), NO_DEFAULTS], ids=["defaults", "no defaults"])
def test_the_written_configuration_reads_back_equal(config, written):
    assert parse(["--config", written(config_text(config))]) == config


@pytest.mark.parametrize(
    "path",
    ["./null", "./~", "010", "[x]", "a\nb", "'quoted'", "x (type: y)", "C:\\x", "1e-3", "5e10", "2026-11-26", "no"],
)
def test_paths_that_look_like_yaml_read_back_equal(path, written):
    config = replace(RunConfig(), data=DataConfig(path=path))
    assert parse(["--config", written(config_text(config))]) == config


@pytest.mark.parametrize("path", ["a\x1bb", "photos\u202egnp", "\u2066[x]\u2069", "苹果\x9b", "a\tb\u200f\n"])
def test_control_characters_are_escaped_and_read_back_equal(path, written):
    config = replace(RunConfig(), data=DataConfig(path=path, label_column=[path, "b"]))
    text = config_text(config)
    assert not CONTROL_CHARACTERS.search(text.replace("\n", "")) and ("苹果" in text) == ("苹果" in path)
    assert parse(["--config", written(text)]).data == config.data


@pytest.mark.parametrize("mode", ["on", "off"])
def test_words_that_are_booleans_in_yaml_1_1_read_back_equal(mode, written):
    config = parse(["--cache.mode", mode, "--cache.views", "2"])
    assert parse(["--config", written(config_text(config))]) == config


def test_flat_settings_have_the_names_of_flags_and_no_nulls():
    settings = flat_settings(NO_DEFAULTS)
    assert settings["data.image_size"] == 64 and settings["optimizer.weight_decay"] == 1e-3
    assert settings["phases"].startswith("[Phase(train='head'") and settings["data.multi_label"] is True
    assert "data.test_fraction" in settings and "epochs" not in settings


@pytest.mark.parametrize(
    "flags",
    [
        ["--data.path_column", "file name", "--data.on_bad_file", "skip", "--data.max_bad_files", "0.1"],
        ["--data.label_column", "[toxic, threat]", "--data.multi_label", "true"],
        ["--task", "text_classification", "--data.split_column", "part", "--text.second_text_column", "answer"],
        ["--task", "object_detection", "--detection.on_bad_box", "skip"],
    ],
)
def test_reading_flags_read_other_data_in_the_same_way(flags):
    config = parse(["photos", *flags])
    others = [flag for name in ("task", "data.multi_label") for flag in (f"--{name}", str(flat_settings(config)[name]))]
    again = parse(["photos", *others, *reading_flags(config)])
    settings, other_settings = flat_settings(config), flat_settings(again)
    assert [other_settings.get(name) for name in READING_FLAGS] == [settings.get(name) for name in READING_FLAGS]


@pytest.mark.parametrize("task", ["image_classification", "text_classification", "object_detection"])
def test_defaults_need_no_reading_flags(task):
    assert reading_flags(parse(["photos", "--task", task])) == []
