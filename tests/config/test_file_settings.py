import pytest

from tl_keras.config.config_files import shipped_configs
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.models.detection.families import FAMILIES
from tl_keras.tasks.registry import TASKS

DETECTIONS = [name for name in shipped_configs() if parse(["--config", name]).task == "object_detection"]


@pytest.fixture
def write(tmp_path):
    def make(text):
        (tmp_path / "mine.yaml").write_text(text)
        return str(tmp_path / "mine.yaml")

    return make


@pytest.mark.parametrize("name", DETECTIONS)
@pytest.mark.parametrize("detector", FAMILIES)
def test_shipped_detections_can_be_varied_by_the_detector(name, detector):
    config = parse(["--config", name, "--detection.detector", detector])
    TASKS[config.task].check_sources(config)
    assert config.detection.detector == detector and config.data.path == parse(["--config", name]).data.path


def test_settings_that_still_mean_something_stay(capsys):
    config = parse(["--config", "boxed_emoji", "--detection.detector", "retinanet"])
    plain = parse(["--config", "boxed_emoji"])
    assert (config.detection.channels, config.detection.head_units) == (64, None)
    assert (config.phases, config.data, config.model) == (plain.phases, plain.data, plain.model)
    assert capsys.readouterr().out == (
        "note: left out of boxed_emoji.yaml because of the flags: detection.head_units has no effect on retinanet; "
        "detection.num_proposals has no effect on retinanet.\n"
    )


@pytest.mark.parametrize("flag", ["--epochs", "--recipe", "--learning_rate", "--unfreeze_from", "--block_decay"])
@pytest.mark.parametrize("name", shipped_configs())
def test_settings_of_recipes_replace_the_phases_of_a_file(name, flag, capsys):
    value = {"--epochs": "2", "--recipe": "fine_tuning", "--unfreeze_from": "all"}.get(flag, "0.1")
    had_phases = parse(["--config", name]).phases is not None
    assert parse(["--config", name, flag, value]).phases is None
    assert (f"phases, which {flag[2:]} replaces." in capsys.readouterr().out) == had_phases


@pytest.mark.parametrize("name", shipped_configs())
@pytest.mark.parametrize("task", TASKS)
def test_shipped_configurations_can_be_varied_by_the_task(name, task):
    config = parse(["--config", name, f"--task={task}"])
    TASKS[task].check_sources(config)


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("detection: {head_units: [9]}\n", ["--detection.detector", "d_fine"], None),
        ("detection: {head_units: [9]}\n", ["--task", "image_classification"], None),
        (
            "detection: {detector: retinanet, head_units: [9]}\n",
            ["--seed", "3"],
            "head_units has no effect",
        ),
        (
            "detection: {detector: retinanet}\n",
            ["--detection.head_units", "[9]"],
            "head_units has no effect",
        ),
        (
            "seed: 3\n",
            ["--detection.detector=retinanet", "--detection.head_units=[9]"],
            "head_units has no effect",
        ),
        (
            "seed: 3\n",
            ["--detection", "{detector: retinanet, head_units: [9]}"],
            "head_units has no effect",
        ),
    ],
)
def test_only_what_stands_beside_each_other_is_a_conflict(write, text, arguments, message):
    path = write(f"task: object_detection\n{text}")
    arguments = [f"--config={path}", *arguments]
    if message is None:
        assert parse(arguments).detection.head_units is None
    else:
        with pytest.raises(InputError, match=message):
            parse(arguments)


def test_blocks_of_another_network_are_left_out_too(write, capsys):
    path = write("phases: [{train: block7, learning_rate: 1e-3}]\nmodel: {backbone: efficientnet_lite0}\n")
    assert parse(["--config", path, "--model.backbone", "resnet50"]).phases is None
    assert "because of the flags: phases (Unknown block 'block7')." in capsys.readouterr().out
    with pytest.raises(InputError, match="Unknown block 'block7'"):
        parse(["--model.backbone=resnet50", "--phases", "[{train: block7, learning_rate: 1e-3}]"])


def test_a_printed_configuration_keeps_the_note_as_a_comment(write, capsys):
    with pytest.raises(SystemExit):
        parse(["--config", "boxed_emoji", "--detection.detector", "yolo_v8", "--print_config"])
    printed = capsys.readouterr().out
    assert printed.startswith("# note: left out of boxed_emoji.yaml")
    assert parse(["--config", write(printed)]).detection.detector == "yolo_v8"
