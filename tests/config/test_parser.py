import pytest

from tl_keras.cli.verbs import run_verb
from tl_keras.config.parser import make_parser
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError

MISTAKES = [
    (["two", "words"], "One path of data is expected, got 'two', 'words'"),
    (["--data.batchsize", "3"], "Unknown flag '--data.batchsize': did you mean '--data.batch_size'?"),
    (["--dat.path=x"], "Unknown flag '--dat.path': did you mean '--data.path'?"),
    (["--data.max_bad_files", "5%"], "data.max_bad_files: expected a number, such as 0.05, got '5%'."),
    (["--data.batch_size", "many"], "data.batch_size: expected a whole number, such as 5, got 'many'."),
    (["--data.batch_size", "1.5"], "data.batch_size: expected a whole number, such as 5, got '1.5'."),
    (["--data.image_size", "big"], "data.image_size: expected a whole number, such as 5, got 'big'."),
    (["--data.batch_size", "0"], "data.batch_size must be at least 1: got 0."),
    (["--data.batch_size"], "argument --data.batch_size: expected one argument"),
    (["--data.multi_label", "maybe"], "data.multi_label: expected true or false, got 'maybe'."),
    (["--data.path="], "data.path is empty"),
    (["--model.backbone", "resnet"], "Unknown model.backbone 'resnet': did you mean 'resnet50'?"),
    (["--recipe", "finetuning"], "Unknown recipe 'finetuning': did you mean 'fine_tuning'?"),
    (
        ["--precision", "fp16"],
        "Unknown precision 'fp16': Expected one of: auto, float32, mixed_bfloat16, mixed_float16.",
    ),
    (["--seed", "-1"], "seed must be at least 0: got -1."),
    (["--learning_rate", "inf"], "learning_rate"),
    (["--phases", "3"], "phases: expected a list, got '3'."),
    (["--phases", "[]"], "empty list of phases"),
    (["--phases", "[3]"], "phases: expected keys and values, such as {train: head, epochs: 3}, got '3'."),
    (["--phases", "[{trian: head}]"], "Unknown phases key 'trian': did you mean 'train'?"),
    (["--phases", "[head]"], "phases: expected keys and values, such as {train: head, epochs: 3}, got 'head'."),
    (["--phases", "[{train: head, until: plateau}]"], "such as {monitor: val_loss, patience: 3}, got 'plateau'."),
    (["--phases", "[{train: head, until: {patiense: 2}}]"], "Unknown phases.until key 'patiense': did you mean"),
    (
        ["--phases", "[{train: head, until: {patience: 2.5}}]"],
        "phases.until.patience: expected a whole number, such as 5, got '2.5'.\n",
    ),
    (["--phases", "[{train: head, until: {patience: 0}}]"], "at least 1 epoch: got patience=0.\n"),
    (["--phases", "[{epochs: 3}]"], "phases: the following arguments are required: train"),
    (["--phases", "[{train: head, epochs: 0}]"], "Phase 'head' needs at least 1 epoch: got epochs=0"),
    (
        ["--phases", "[{train: head, learning_rate: fast}]"],
        "phases.learning_rate: expected a number, such as 0.05, got 'fast'.",
    ),
    (["--phases", "[{train: head, schedule: cosin}]"], "'cosin': did you mean 'cosine'?"),
    (["--phases", "[{train: head}]", "--epochs", "3"], "epochs has no effect beside phases: set it in"),
    (["--config"], "--config needs a YAML file or the name of a shipped one: "),
    (["--config", "missing.yaml"], "The configuration file 'missing.yaml' does not exist"),
    (
        ["--config", "."],
        "--config '.' is a folder, expected a file: give a YAML file, or data as",
    ),
    (["--phases", "[{train: head}"], "--phases: '[{train: head}' has a bracket or a quote that is not closed"),
    (["--phases", "{train: head"], "--phases: '{train: head' has a bracket or a quote that is not closed"),
    (["--config", "image_clasification"], "did you mean 'image_classification'?"),
]


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES, ids=[" ".join(mistake) for mistake, _ in MISTAKES])
def test_each_mistake_gets_one_line_and_exit_code_2(arguments, expected, capsys):
    with pytest.raises(SystemExit) as stop:
        run_verb(parse, arguments)
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    assert expected in message
    assert "Namespace" not in message


def test_the_help_describes_the_flags_of_the_configuration_and_of_the_actions():
    text = make_parser({"--print_phases": "Print the phases."}).format_help()
    assert "--data.batch_size" in text and "Print the phases." in text
    assert "image_classification, sentiment" in " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log: {a: b}", "log: expected a list, or text, got '{'a': 'b'}'."),
        ("log: [a, {b: c}]", "log: expected text, got '{'b': 'c'}'."),
        ("seed: {a: b}", "seed: expected a whole number, such as 5, got '{'a': 'b'}'."),
    ],
)
def test_a_mapping_in_a_file_of_another_type_is_one_clear_sentence(text, message, tmp_path):
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        parse(["--config", str(tmp_path / "run.yaml")])
    assert str(caught.value) == message
