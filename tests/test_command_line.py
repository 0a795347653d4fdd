import errno
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tl_keras.command_line import CONFIG_FOLDER, config_text, parse, run_verb
from tl_keras.config import DataConfig, ModelConfig, OptimizerConfig, RunConfig
from tl_keras.errors import InputError, RunStopped
from tl_keras.phases import Phase
from tl_keras.system.interruption import Interrupted

REPOSITORY = Path(__file__).parents[1]
UNLIKE_DEFAULTS = RunConfig(
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


def test_flags_override_the_file_which_overrides_the_defaults(written):
    path = written("seed: 3\ndata: {batch_size: 16, image_size: 64}\nphases: [{train: head, learning_rate: 1e-4}]\n")
    config = parse(["--config", path, "--data.batch_size", "8"])
    data = DataConfig(batch_size=8, image_size=64)
    assert config == RunConfig(seed=3, data=data, phases=[Phase("head", learning_rate=1e-4)])


def test_no_flags_give_the_defaults():
    assert parse([]) == RunConfig()


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIG_FOLDER.glob("*.yaml")))
@pytest.mark.parametrize("form", ["--config {}", "--config={}"])
def test_shipped_configurations_go_by_their_name(name, form):
    assert isinstance(parse(form.format(name).split()), RunConfig)


MISTAKES = [
    (["word"], "unrecognized arguments: word"),
    (["--data.batchsize", "3"], "Unknown flag '--data.batchsize': did you mean '--data.batch_size'?"),
    (["--dat.path=x"], "Unknown flag '--dat.path': did you mean '--data.path'?"),
    (["--data.batch_size", "many"], "data.batch_size: expected int, got 'many'."),
    (["--data.batch_size", "1.5"], "data.batch_size: expected int, got '1.5'."),
    (["--data.image_size", "big"], "data.image_size: expected int, got 'big'."),
    (["--data.batch_size", "0"], "data.batch_size must be at least 1: got 0."),
    (["--data.batch_size"], "argument --data.batch_size: expected one argument"),
    (["--data.multi_label", "maybe"], "data.multi_label: expected bool, got 'maybe'."),
    (["--data.path="], "data.path is empty"),
    (["--model.backbone", "resnet"], "Unknown model.backbone 'resnet': did you mean 'resnet50'?"),
    (["--recipe", "finetuning"], "Unknown recipe 'finetuning': did you mean 'fine_tuning'?"),
    (
        ["--precision", "fp16"],
        "Unknown precision 'fp16': Expected one of: auto, float32, mixed_bfloat16, mixed_float16.",
    ),
    (["--seed", "-1"], "seed must be at least 0: got -1."),
    (["--learning_rate", "inf"], "learning_rate"),
    (["--phases", "3"], "phases: expected list, got '3'."),
    (["--phases", "[]"], "empty list of phases"),
    (["--phases", "[3]"], "phases: Not a valid subclass of Phase. Got value: 3"),
    (["--phases", "[{trian: head}]"], "Unknown phases key 'trian': did you mean 'train'?"),
    (["--phases", "[head]"], "phases: expected keys and values, such as {train: head, epochs: 3}, got 'head'."),
    (["--phases", "[{train: head, until: plateau}]"], "such as {monitor: val_loss, patience: 3}, got 'plateau'."),
    (["--phases", "[{train: head, until: {patiense: 2}}]"], "Unknown phases.until key 'patiense': did you mean"),
    (["--phases", "[{train: head, until: {patience: 2.5}}]"], "phases.until.patience: expected int, got '2.5'.\n"),
    (["--phases", "{train: head}"], "phases: expected list, got"),
    (["--phases", "[{train: head, until: {patience: 0}}]"], "at least 1 epoch: got patience=0.\n"),
    (["--phases", "[{epochs: 3}]"], "phases: the following arguments are required: train"),
    (["--phases", "[{train: head, epochs: 0}]"], "Phase 'head' needs a whole number of epochs"),
    (["--phases", "[{train: head, learning_rate: fast}]"], "phases.learning_rate: expected float, got 'fast'."),
    (["--phases", "[{train: head, schedule: cosin}]"], "'cosin': did you mean 'cosine'?"),
    (["--phases", "[{train: head}]", "--epochs", "3"], "epochs shapes a recipe, but phases are given"),
    (["--config"], "--config needs a YAML file or the name of a shipped one: "),
    (["--config", "missing.yaml"], "The configuration file 'missing.yaml' does not exist"),
    (["--config", "image_clasification"], "did you mean 'image_classification'?"),
]
BAD_FILES = [
    ("", "The configuration must be a mapping of keys to values: got None."),
    ("word", "The configuration must be a mapping"),
    ("data:", "data must be a mapping of keys to values: got None."),
    ("data: {batchsize: 3}", "'data.batchsize': did you mean 'data.batch_size'?"),
    ("phases: [{train: head, epoch: 3}]", "did you mean 'phases[1].epochs'?"),
    ("phases: 3", "phases: expected list, got 3."),
    ("seed: x", "seed: expected int, got 'x'."),
    ("run: 3", "run: expected str, got '3'."),
    ("learning_rate: .inf", "learning_rate must be above 0"),
    ("a: [", "is not valid YAML"),
    (b"\xff", "is not valid YAML"),
    ("#" * 1_000_001, "is larger than 1000000 bytes"),
]


def refusal(arguments, capsys):
    with pytest.raises(SystemExit) as leaving:
        run_verb(parse, arguments)
    assert leaving.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "telling"), MISTAKES, ids=[" ".join(mistake) for mistake, _ in MISTAKES])
def test_each_mistake_gets_one_line_and_exit_code_2(arguments, telling, capsys):
    message = refusal(arguments, capsys)
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    assert telling in message
    assert "Namespace" not in message


@pytest.mark.parametrize(("text", "telling"), BAD_FILES, ids=[telling for _, telling in BAD_FILES])
def test_each_bad_file_gets_one_line_and_exit_code_2(text, telling, written, capsys):
    message = refusal(["--config", written(text)], capsys)
    assert message.count("\n") == 1
    assert telling in message


def test_a_verb_that_succeeds_returns_quietly(capsys):
    run_verb(lambda arguments: print(arguments), ["--x"])
    assert capsys.readouterr() == ("['--x']\n", "")


def test_only_input_errors_become_sentences():
    with pytest.raises(ZeroDivisionError):
        run_verb(lambda arguments: 1 / 0, [])


@pytest.mark.parametrize("config", [RunConfig(), UNLIKE_DEFAULTS], ids=["defaults", "unlike defaults"])
def test_the_written_configuration_reads_back_equal(config, written):
    assert parse(["--config", written(config_text(config))]) == config


@pytest.mark.parametrize(
    "path",
    ["./null", "./~", "010", "[x]", "a\nb", "'quoted'", "x (type: y)", "C:\\x", "1e-3", "5e10", "2026-11-26", "no"],
)
def test_paths_that_look_like_yaml_read_back_equal(path, written):
    config = replace(RunConfig(), data=DataConfig(path=path))
    assert parse(["--config", written(config_text(config))]) == config


@pytest.mark.parametrize("mode", ["on", "off"])
def test_words_that_old_yaml_takes_for_booleans_read_back_equal(mode, written):
    config = parse(["--cache.mode", mode, "--cache.views", "2"])
    assert parse(["--config", written(config_text(config))]) == config


def test_a_choice_that_may_be_null_names_the_nearest(capsys):
    with pytest.raises(InputError, match="Unknown data.augmentation 'lightt': did you mean 'light'"):
        parse(["--data.augmentation", "lightt"])


def test_print_config_explains_every_key_and_reads_back(capsys, written):
    with pytest.raises(SystemExit) as leaving:
        parse(["--seed", "5", "--phases", "[{train: head, learning_rate: 1e-5}]", "--print_config"])
    printed = capsys.readouterr().out
    assert leaving.value.code == 0
    assert (
        "# Images or texts in one training step, of each device where there are several.\n  batch_size: 32\n" in printed
    )
    assert "(type:" not in printed
    assert parse(["--config", written(printed)]) == RunConfig(seed=5, phases=[Phase("head", learning_rate=1e-5)])


def test_a_phase_can_be_appended_by_a_flag():
    assert parse(["--phases+={train: head}"]).phases == [Phase("head")]


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["--phases.help"], 0), (["--print_config"], 0), (["--sed", "1"], 2)]
)
def test_what_trains_nothing_loads_neither_tensorflow_nor_keras(arguments, code):
    command = [sys.executable, "-X", "importtime", "-m", "tl_keras.train", *arguments]
    process = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert process.returncode == code
    imported = {line.rsplit("|")[-1].strip() for line in process.stderr.splitlines() if line.startswith("import time:")}
    assert "tl_keras.command_line" in imported
    assert not {"tensorflow", "keras", "keras_hub"} & imported


def test_parse_raises_input_errors_for_python_callers():
    with pytest.raises(InputError, match="Unknown flag '--sed'"):
        parse(["--sed", "1"])


@pytest.mark.parametrize("arguments", [["--resume"], ["--resume", "--run", "x"], ["--run", "x", "--resume", "auto"]])
def test_resume_may_stand_alone(arguments):
    assert parse(arguments).resume == "auto"


def test_a_run_that_must_go_on_needs_its_folder():
    with pytest.raises(InputError, match="give --run FOLDER"):
        parse(["--resume", "must"])


@pytest.mark.parametrize(
    ("error", "code", "telling"),
    [
        (RunStopped("It cannot go on."), 1, "error: It cannot go on.\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "error: The disk is full (No space left on device)"),
        (Interrupted(signal.SIGTERM), 143, ""),
        (Interrupted(signal.SIGINT), 130, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_stops_a_verb_has_an_exit_code_and_at_most_one_sentence(error, code, telling, capsys):
    def verb(arguments):
        raise error

    with pytest.raises(SystemExit) as stop:
        run_verb(verb, [])
    assert stop.value.code == code
    printed = capsys.readouterr().err
    assert printed.startswith(telling) and printed.count("\n") == bool(telling)


def test_other_faults_of_the_system_are_not_hidden():
    def verb(arguments):
        raise PermissionError(errno.EACCES, "no")

    with pytest.raises(PermissionError):
        run_verb(verb, [])


def test_a_lost_worker_is_one_sentence_and_exit_code_3():
    code = (
        "from tl_keras.command_line import run_verb\n"
        "from tl_keras.errors import LostWorker\n"
        "def verb(arguments):\n"
        "    raise LostWorker('gone')\n"
        "run_verb(verb, [])\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (3, "", "error: gone\n")
