import csv
import functools
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import kagglehub
import keras
import numpy as np
import pytest

import tl_keras as tl
from tests.tasks import task_cases
from tl_keras import callbacks, evaluate, explain, predict, train
from tl_keras.cli.verbs import run_verb
from tl_keras.config import DataConfig, ModelConfig, RunConfig, TextConfig
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.tasks import text_classification

GOOD, BAD = ("good", "fun", "very good", "very fun"), ("bad", "dull", "very bad", "very dull")
TASK = text_classification.TextClassification()


def write_data(folder):
    """Writes 48 texts of two classes and a random encoder, and returns the flags of a run that takes a few seconds."""
    rows = [
        f"{start} {word} film{'!' * marks},{label}"
        for words, label in ((GOOD, "positive"), (BAD, "negative"))
        for word in words
        for start in ("a", "the")
        for marks in range(3)
    ]
    # A test text that the model will be wrong about.
    rows[rows.index("the dull film!,negative")] = "the very good fun film!,negative"
    (folder / "films.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    task_cases.save_encoder(folder / "encoder")
    values = {
        "data.path": folder / "films.csv",
        "data.batch_size": 8,
        "model.backbone": folder / "encoder",
        "model.pooling": "average",
        "model.dropout": 0.0,
        "text.max_tokens": 12,
        "phases": "[{train: head, epochs: 1}, {train: all, epochs: 12, learning_rate: 0.003}]",
    }
    return task_cases.flags_of(values)


CASE = task_cases.TaskCase(
    "text_classification",
    write_data,
    None,
    None,
    lambda folder: ["a good film", "a dull film"],
    ["a good film", "a dull film"],
    np.asarray,
)


class TestContract(task_cases.TaskChecks):
    """Checks text classification."""


@pytest.fixture(scope="module")
def encoder(tiny):
    """The folder of a random encoder of two layers."""
    return str(tiny.data / "encoder")


@pytest.fixture(scope="module")
def table(tiny):
    """48 texts of two classes."""
    return str(tiny.data / "films.csv")


@pytest.fixture(scope="module")
def flags(tiny):
    return tiny.flags


@pytest.fixture
def opened_once(trained, monkeypatch):
    """Lets `predict` take the opened run."""
    monkeypatch.setattr(predict, "load_run", lambda folder: trained)


def configured(encoder, table, **settings):
    return RunConfig(
        task="text_classification",
        data=DataConfig(path=table, **settings.pop("data", {})),
        model=ModelConfig(backbone=encoder, **settings.pop("model", {})),
        text=TextConfig(max_tokens=12, **settings.pop("text", {})),
    )


def test_a_run_learns_and_leaves_its_results(run):
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["accuracy"] >= 0.8
    names = ["majority class", "TF-IDF + logistic regression", "logistic regression on last-layer features"]
    assert [one["name"] for one in metrics["baselines"]] == names
    for name in ("model.keras", "confusion_matrix.png", "report.html", "model_card.md"):
        assert (run / name).stat().st_size > 0
    assert "good fun film" in (run / "mistakes.csv").read_text()
    assert "TF-IDF + logistic regression</th>" in (run / "report.html").read_text()
    assert 'tf.constant(["I love this product!"])' in (run / "model_card.md").read_text()


def test_a_finished_run_predicts_strings(trained):
    probabilities = trained.predict(["a very good film", "a very bad film", ""])
    assert [trained.class_names[row.argmax()] for row in probabilities[:2]] == ["positive", "negative"]
    np.testing.assert_allclose(trained.predict(["a very bad film"])[0], probabilities[1], atol=1e-5)


def test_the_saved_model_opens_with_keras_and_kerashub_alone(run, trained, tmp_path):
    code = (
        "import sys, keras, keras_hub, numpy as np, tensorflow as tf\n"
        "sys.modules['tl_keras'] = None\n"
        f"model = keras.models.load_model({str(run / 'model.keras')!r})\n"
        "np.save('probabilities.npy', model.predict(tf.constant(['a very good film']), verbose=0))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, capture_output=True)
    ours = trained.predict(["a very good film"])
    np.testing.assert_allclose(np.load(tmp_path / "probabilities.npy"), ours, atol=1e-6)


@pytest.mark.parametrize("texts", [b"good", 3, None, {"a": 1}, [], [3], ("good", 3), [("good", "film")]])
def test_what_is_no_text_and_no_list_of_texts_is_refused(trained, texts):
    with pytest.raises(InputError, match="expected a text, or a list of texts, at least one"):
        trained.predict(texts)


def test_one_text_needs_no_list(trained, tmp_path, monkeypatch):
    assert trained.classify("a very bad film") == trained.classify(["a very bad film"]) == ["negative"]
    np.testing.assert_array_equal(trained.embed("good"), trained.embed(["good"]))
    assert trained.explain("a very bad film")[0].predicted == "negative"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good").touch()
    with pytest.raises(InputError, match="'good': it is a file, and texts are taken as they are; give a list"):
        trained.classify("good")
    assert len(trained.classify(["good"])) == 1


def test_strings_give_the_figures_that_tokens_gave(run, trained):
    results = evaluate.evaluate_run(trained)
    again = results.read_json("metrics.json")
    assert 'class="word"' in (results / "report.html").read_text(encoding="utf-8")
    before = json.loads((run / "metrics.json").read_text())
    assert again["confusion_matrix"] == before["confusion_matrix"]
    assert again["log_loss"] == pytest.approx(before["log_loss"], abs=1e-5)


def test_other_texts_are_aligned_by_class_name(trained, tmp_path):
    (tmp_path / "new.csv").write_text("text,label\na good film,positive\na fun film,positive\na dull film,negative\n")
    metrics = evaluate.evaluate_run(trained, str(tmp_path / "new.csv")).read_json("metrics.json")
    assert metrics["examples"] == 3
    assert metrics["accuracy"] == 1
    (tmp_path / "new.csv").write_text("text,label\na good film,positive\na dull film,negatve\n")
    with pytest.raises(InputError, match="did you mean 'negative'"):
        evaluate.evaluate_run(trained, str(tmp_path / "new.csv"))


@pytest.mark.usefixtures("opened_once")
def test_predict_prints_texts_of_the_command_line(run, capsys):
    predict.main([str(run), "a very good film", "a very\nbad film"])
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("a very good film  positive ")
    assert second.startswith("a very bad film  negative ")


@pytest.mark.usefixtures("opened_once")
def test_a_table_shows_the_beginning_of_a_long_text(run, capsys):
    predict.main([str(run), "good " * 100])
    assert capsys.readouterr().out.startswith(f"{'good ' * 40} …  positive ")
    predict.main([str(run), "good " * 100, "--format", "jsonl"])
    assert json.loads(capsys.readouterr().out)["text"] == "good " * 100


@pytest.mark.usefixtures("opened_once")
def test_predict_reads_files_of_lines(run, tmp_path, capsys):
    (tmp_path / "new.txt").write_text("a good film\n\na bad café\n", encoding="utf-8")
    predict.main([str(run), "--files", str(tmp_path / "new.txt"), "--format", "jsonl"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["text"] for line in lines] == ["a good film", "a bad café"]


@pytest.mark.usefixtures("opened_once")
def test_predict_reads_tables_and_keeps_their_columns(run, tmp_path):
    (tmp_path / "new.csv").write_text("id,review\n7,a good film\n8,a bad film\n")
    arguments = ["--text_column", "review", "--output", str(tmp_path / "p.jsonl")]
    predict.main([str(run), str(tmp_path / "new.csv"), *arguments])
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert [(line["id"], line["labels"][0]["label"]) for line in lines] == [("7", "positive"), ("8", "negative")]


@pytest.mark.usefixtures("opened_once")
def test_predict_reads_the_standard_input(run, monkeypatch, capsys):
    class Input:
        class buffer:
            @staticmethod
            def read():
                return b"a good film\n"

    monkeypatch.setattr(sys, "stdin", Input)
    predict.main([str(run), "-", "--format", "csv"])
    header, line = capsys.readouterr().out.splitlines()
    assert header.startswith("text,label_1,probability_1")
    assert line.startswith("a good film,positive,")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([" "], "No text found"),
        (["--files", "nothing.txt"], "Cannot read 'nothing.txt'"),
        (["nothing.csv"], "Cannot read 'nothing.csv'"),
        (["{latin}"], "is not UTF-8"),
        (["a film", "--second_text_column", "reply"], "is for runs on pairs of texts"),
    ],
)
def test_bad_texts_are_one_sentence(run, tmp_path, capsys, arguments, message):
    (tmp_path / "latin.txt").write_bytes("café\n".encode("latin-1"))
    with pytest.raises(SystemExit) as stop:
        run_verb(predict.main, [str(run), *(part.format(latin=tmp_path / "latin.txt") for part in arguments)])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert message in error
    assert error.count("\n") == 1


def test_pairs_and_several_labels_run_to_their_end(flags, tmp_path, monkeypatch):
    rows = ["text,reply,label"]
    for words, label in ((GOOD, "positive|film"), (BAD, "negative|film")):
        rows += [f"a film{'!' * marks},{word},{label}" for word in words for marks in range(4)]
    (tmp_path / "pairs.csv").write_text("\n".join(rows))
    more = {
        "--data.path": tmp_path / "pairs.csv",
        "--data.multi_label": "true",
        "--phases": "[{train: head}]",
        "--text.second_text_column": "reply",
        "--run": tmp_path / "run",
    }
    folder = train.run_training(parse([*flags, *(str(part) for flag in more.items() for part in flag)]))
    assert set(json.loads((folder / "metrics.json").read_text())["per_class"]) == {"film", "negative", "positive"}
    pairs = tl.load_run(folder)
    assert pairs.predict([("a film", "good")]).shape == (1, 3)
    monkeypatch.setattr(predict, "load_run", lambda folder: pairs)
    predict.main([str(folder), str(tmp_path / "pairs.csv"), "--output", str(tmp_path / "p.csv")])
    (first, *_) = csv.DictReader((tmp_path / "p.csv").read_text().splitlines())
    assert (first["reply"], first["label"]) == (GOOD[0], "positive|film") and "label_3" in first
    with pytest.raises(InputError, match="takes pairs of texts"):
        predict.main([str(folder), "a film"])


def test_windows_run_to_their_end_and_the_saved_model_agrees(flags, tmp_path):
    rows = ["text,label"]
    for words, label in ((GOOD, "positive"), (BAD, "negative")):
        rows += [f"{'a film ' * 3 * repeats}{word},{label}" for word in words for repeats in range(5)]
    (tmp_path / "long.csv").write_text("\n".join(rows))
    more = ["--data.path", str(tmp_path / "long.csv"), "--text.windows", "3", "--run", str(tmp_path / "run")]
    more += ["--phases", "[{train: head}]"]
    config = parse([*flags, *more])
    splits = TASK.load_data(config)
    texts, windows = len(splits.train.first_rows), len(splits.train)
    assert windows > texts and f"{texts} training" in TASK.describe(config, splits)
    assert f"({windows} training windows)" in TASK.describe(config, splits)
    assert len(splits.test) < len(splits.test.windows)
    folder = train.run_training(config)
    before = json.loads((folder / "metrics.json").read_text())
    assert before["examples"] == len(splits.test)
    again = evaluate.evaluate_run(tl.load_run(folder)).read_json("metrics.json")
    assert again["confusion_matrix"] == before["confusion_matrix"]
    assert again["log_loss"] == pytest.approx(before["log_loss"], abs=1e-5)


def test_unseen_characters_and_megabytes_change_no_prediction(trained):
    clean = ["a very good film", "a bad film"]
    raw = ["a\u00a0very go\u200bod\u3000film\ufeff", "a bad film\0"]
    np.testing.assert_array_equal(trained.predict(raw), trained.predict(clean))
    assert trained.predict(["good " * 800_000, "half a character \udc80"]).shape == (2, 2)


BAD_TABLES = {
    "empty texts": ("text,label\na,x\n,y\n \u00a0,y\n", "no text at line 3, line 4: fill them or remove them."),
    "invisible texts": ("text,label\na,x\n\u200b\ufeff,y\n", "no text at line 3: fill them or remove them."),
    "missing labels": (
        "text,label\na,x\nb,\n",
        "no label at line 3: fill the cells or remove the rows; 1 class (x) where 2 or more are expected:",
    ),
    "latin-1": ("text,label\na,x\ncafé,y\n".encode("latin-1"), "line 3, it looks like latin-1; save it as UTF-8"),
    "UTF-16": ("text,label\na,x\nb,y\n".encode("utf-16"), "it looks like UTF-16; save it as UTF-8"),
    "unclosed quotes": ('text,label\na,x\n"b,y\nc,y\n', "an unclosed double quote in the row that starts at line 3"),
    "NUL characters": ("text,label\na,x\nb\0,y\n", "NUL characters at line 3: remove these characters"),
    "one label": ("text,label\na,x\nb,x\n", "1 class (x) where 2 or more are expected: check --data.label_column."),
    "a missing column": ("review,label\na,x\nb,y\n", "only 'review', 'label'; name the right one with --text.text_col"),
    "nothing": ("", "is empty: expected column names and at least one row."),
    "no rows": ("text,label\n", "has no rows: expected at least one row for each example."),
}


BAD_FLAGS = {
    "a mistyped backbone": ({"--model.backbone": "bert_base_en_uncase"}, "did you mean 'bert_base_en_uncased'?"),
    "no folder": ({"--model.backbone": "no/such/folder"}, "No folder 'no/such/folder'"),
    "an empty folder": (
        {"--model.backbone": "./"},
        "holds no config.json of a network, expected a KerasHub preset or Hugging Face",
    ),
    "mistyped data": ({"--data.path": "reviewz"}, "did you mean 'reviews'?"),
    "windows of pairs": (
        {"--text.windows": "2", "--text.second_text_column": "b"},
        "text.windows is 2, but pairs of texts",
    ),
    "no windows": ({"--text.windows": "0"}, "text.windows must be at least 1: got 0."),
    "mistyped weights": ({"--model.weights": "pretraind"}, "No weights at 'pretraind': give an existing"),
}
COMMANDS = """
import contextlib, io, json, os, runpy, sys
ends = []
for folder, arguments in json.loads(sys.argv[1]):
    os.chdir(folder)
    sys.argv, code = ["train", *arguments], None
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(io.StringIO()) as error:
        try:
            runpy.run_module("tl_keras.train", run_name="__main__", alter_sys=True)
        except SystemExit as stop:
            code = stop.code
    ends.append((code, printed.getvalue(), error.getvalue()))
print(json.dumps(ends))
"""


def end_commands(cases, root, **environment):
    """Runs the command for each (folder, arguments) in one process; returns (exit code, output, error) of each."""
    # Python looks for modules in the folder first: a refusal that loads TensorFlow fails here.
    (root / "tensorflow.py").write_text("raise SystemExit('TensorFlow was loaded')")
    always = {"--task": "text_classification", "--data.path": "reviews"}
    cases = [(str(folder), [part for flag in (always | flags).items() for part in flag]) for folder, flags in cases]
    environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{Path(tl.__file__).parents[1]}"} | environment
    command = [sys.executable, "-c", COMMANDS, json.dumps(cases)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(end):
    """Checks that a command refused its input with one sentence; returns it."""
    code, printed, error = end
    assert code == 2, error
    assert error.startswith("error: ") and error.count("\n") == 1 and not printed
    return error


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """The end of the command by the name of its bad table or flag, and the files that it left."""
    root, cases = tmp_path_factory.mktemp("refused"), []
    for name in (*BAD_TABLES, *BAD_FLAGS):
        folder = root / name
        folder.mkdir()
        if name in BAD_TABLES:
            content, _ = BAD_TABLES[name]
            (folder / "texts.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
            cases.append((folder, {"--data.path": "texts.csv"}))
        else:
            cases.append((folder, BAD_FLAGS[name][0]))
    ends = end_commands(cases, root)
    return {
        folder.name: (end, [path.name for path in folder.rglob("*")])
        for (folder, _), end in zip(cases, ends, strict=True)
    }


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_bad_table_is_refused_by_the_command_in_one_sentence(ends, name):
    end, files = ends[name]
    assert BAD_TABLES[name][1] in refused(end)
    assert files == ["texts.csv"]


@pytest.mark.parametrize("name", BAD_FLAGS)
def test_a_bad_flag_is_refused_by_the_command_in_one_sentence(ends, name):
    end, files = ends[name]
    assert BAD_FLAGS[name][1] in refused(end)
    assert not files


def test_weights_that_pip_cannot_fetch_are_refused_by_the_command_in_one_sentence(tmp_path, tmp_path_factory):
    offline = {"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache")), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    folder = tmp_path / "folder"
    folder.mkdir()
    [end] = end_commands([(folder, {})], tmp_path, **offline)
    assert "give a local folder as --model.backbone PATH" in refused(end)
    assert not list(folder.iterdir())


def test_a_preset_without_network_is_refused_with_the_offline_ways(encoder, table, monkeypatch):
    class ConnectionError(OSError):
        """As that of `requests`, no relative of Python's."""

    def refuse(*_arguments):
        raise ConnectionError("HTTPSConnectionPool(host='hub'): Max retries exceeded")

    monkeypatch.setattr(kagglehub, "model_download", refuse)
    with pytest.raises(InputError, match=r"\(the model hub cannot be reached\).*PATH, or take --model.backbone minilm"):
        TASK.load_data(configured("bert_tiny_en_uncased", table))


def test_a_text_of_four_megabytes_is_cut_and_read(encoder, tmp_path):
    rows = [f"{word} film {n},{word}" for word in ("good", "bad") for n in range(8)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *rows, f"{'very ' * 800_000},bad"]))
    config = configured(encoder, str(tmp_path / "texts.csv"))
    splits = TASK.load_data(config)
    assert max(len(text) for part in (splits.train, splits.validation, splits.test) for text in part.texts) == 100_000
    assert splits.cut_texts_share == 1 / 17 and splits.cut_tokens_share > 0.99


def test_the_report_lists_mistakes_as_text(encoder, table):
    config = configured(encoder, table)
    splits = TASK.load_data(config)
    wrong = np.eye(2, dtype="float32")[1 - splits.test.labels]
    extras = TASK.report_extras(config, splits, wrong, {"accuracy": 0.0})
    assert extras.mistakes[0]["text"] in splits.test.texts
    assert {mistake["true"] for mistake in extras.mistakes} == {"negative", "positive"}
    verdict, warning = extras.verdict
    assert "below the best baseline, TF-IDF + logistic regression" in verdict
    assert "no better than the majority class" in warning


def test_the_line_on_the_data_tells_what_is_cut(encoder, table, tmp_path):
    config = configured(encoder, table)
    assert "36 training" not in TASK.describe(config, TASK.load_data(config))
    path = tmp_path / "long.csv"
    path.write_text(
        "text,label\n"
        + "\n".join(f"{'very ' * 30}{word} film {n},{word}" for word in ("good", "bad") for n in range(6))
    )
    config = configured(encoder, str(path))
    splits = TASK.load_data(config)
    line = TASK.describe(config, splits)
    assert "12 at most" in line
    assert "of the tokens are cut away" in line
    metrics = {"accuracy": 0.0}
    predicted = np.eye(2, dtype="float32")[splits.test.labels]
    extras = TASK.report_extras(config, splits, predicted, metrics)
    (note,) = extras.notes
    assert note.startswith("100.0% of the texts were too long and lost 6")
    assert "--text.max_tokens (here 12)" in note and "--text.truncation (head)" in note
    assert extras.metrics["cut_texts_share"] == 1 and 0.6 < extras.metrics["cut_tokens_share"] < 0.7
    assert metrics == {"accuracy": 0.0}


def test_a_fingerprint_tells_texts_apart(encoder, table, tmp_path):
    changed = tmp_path / "films.csv"
    with open(table, encoding="utf-8") as file:
        changed.write_text(file.read().replace("a good film", "the good film"))
    prints = [TASK.fingerprint(TASK.load_data(configured(encoder, path))) for path in (table, table, str(changed))]
    assert prints[0] == prints[1] != prints[2]


def test_balanced_weights_let_rare_classes_count_as_much(encoder, tmp_path):
    path = tmp_path / "films.csv"
    rows = [f"a good film {n},positive" for n in range(20)] + [f"a bad film {n},negative" for n in range(6)]
    path.write_text("text,label\n" + "\n".join(rows))
    config = configured(encoder, str(path), data={"class_weight": "balanced", "validation_fraction": 0.2})
    splits = TASK.load_data(config)
    weights = TASK.training_inputs(config, splits, first_epoch=0)["class_weight"]
    counts = np.bincount(splits.train.labels)
    assert weights[0] * counts[0] == pytest.approx(weights[1] * counts[1])


@pytest.mark.parametrize("xla", [False, True])
def test_with_xla_shapes_are_few_and_layers_keras_s_own(encoder, table, xla, monkeypatch):
    config = replace(configured(encoder, table), xla=xla)
    splits = TASK.load_data(config)
    splits = replace(splits, validation=splits.test)
    model = TASK.build_model(config, splits)
    lean = any(isinstance(layer.call, functools.partial) for layer in model._flatten_layers())
    asked = []
    monkeypatch.setattr(text_classification.data, "make_token_dataset", lambda *_, **told: asked.append(told))
    TASK.training_inputs(config, splits, first_epoch=0)
    TASK.compile_model(config, model, keras.optimizers.SGD())
    monkeypatch.setattr(text_classification.data, "token_batches", lambda *_, **told: asked.append(told) or [])
    TASK.predict(model, splits.test, 8)
    assert lean != xla
    assert [told["few_shapes"] for told in asked] == [xla, xla, xla]


def test_more_tokens_than_the_encoder_has_positions_are_refused(encoder, table):
    config = RunConfig(
        task="text_classification",
        data=DataConfig(path=table),
        model=ModelConfig(backbone=encoder),
        text=TextConfig(max_tokens=41),
    )
    with pytest.raises(InputError, match="the encoder has 40 positions"):
        TASK.load_data(config)


def test_too_few_texts_for_a_test_are_refused(encoder, tmp_path):
    (tmp_path / "few.csv").write_text("text,label\ngood,a\nbad,b\n")
    with pytest.raises(InputError, match="No texts are left for the test split"):
        TASK.load_data(configured(encoder, str(tmp_path / "few.csv")))


def test_weights_that_are_not_there_are_refused_before_any_work(encoder, table):
    with pytest.raises(InputError, match="No weights at 'pretraind'"):
        TASK.check_sources(configured(encoder, table, model={"weights": "pretraind"}))


def test_large_sets_are_tokenized_once(encoder, table, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(text_classification, "MIN_CACHED", 10)
    TASK.load_data(configured(encoder, table))
    assert len(list((tmp_path / "tl_keras" / "tokens").glob("*.npz"))) == 3


@pytest.mark.slow
@pytest.mark.parametrize("rank", [None, 2])
def test_an_interrupted_run_ends_the_same_with_and_without_lora(flags, tmp_path, monkeypatch, rank):
    more = ["--model.dropout", "0.3", "--phases", "[{train: head}, {train: all, epochs: 2}]"]
    more += ["--model.lora_rank", str(rank)] if rank else []
    whole, stopped = ([*flags, *more, "--run", str(tmp_path / name)] for name in ("whole", "stopped"))
    begin = callbacks.ProgressLines.on_epoch_begin

    def stop_before_the_last(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.ProgressLines, "on_epoch_begin", stop_before_the_last)
        with pytest.raises(KeyboardInterrupt):
            train.run_training(parse(stopped))
    one, other = (tl.load_run(train.run_training(parse(arguments))) for arguments in (whole, stopped))
    assert one.history == other.history
    assert [weight.path for weight in one.model.weights] == [weight.path for weight in other.model.weights]
    assert not any("lora" in weight.path for weight in one.model.weights)
    for weight, resumed in zip(one.model.weights, other.model.weights, strict=True):
        np.testing.assert_array_equal(weight, resumed)


def test_explain_writes_a_page_of_words_whose_shares_sum_to_the_difference(run, tmp_path, capsys):
    explain.main([str(run), "a good film!", "--output", str(tmp_path / "out")])
    (record,) = json.loads((tmp_path / "out" / "explanations.json").read_text())
    assert [word for word, _ in record["words"]] == ["a", "good", "film", "!"]
    assert record["is_complete"]
    difference = record["class_probability"] - record["baseline_probability"]
    np.testing.assert_allclose(sum(value for _, value in record["words"]), difference, rtol=0.011)
    assert f"{record['predicted']} 0." in capsys.readouterr().out
    assert "film" in (tmp_path / "out" / "explanations.html").read_text()
    with pytest.raises(InputError, match="Unknown class 'negativ'"):
        explain.main([str(run), "a good film!", "--class", "negativ"])
