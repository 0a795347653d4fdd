import csv
import shlex
import shutil
import subprocess
import sys

import pytest

from tl_keras import label, recommend
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.tasks.registry import TASKS


@pytest.mark.usefixtures("small_network")
def test_the_verb_prints_and_writes(image_folder, tmp_path, capsys):
    flags = ["--data.image_size", "32", "--model.weights", "none", "--recipe", "auto", "--cache.mode", "off"]
    label.main(["check", str(image_folder), *flags, "--output", str(tmp_path / "out")])
    assert "labels" in capsys.readouterr().out
    assert (tmp_path / "out" / "label_check.csv").read_text().startswith("name,split,label,suggested,")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chekc", "photos"], "Unknown subcommand 'chekc': did you mean 'check'"),
        (["check", "photos", "--aply", "x.csv"], "Unknown flag '--aply': did you mean '--apply'"),
        (["next", "photos", "--pool", "x", "--sed", "1"], "did you mean '--seed'"),
        ([], "required: check"),
        (["next", "photos"], "give --pool"),
        (["next", "--pool", "photos", "--count", "0"], "expected 1 or more"),
        (["next", "--pool", "photos", "--apply", "x.csv"], "is for `label check`"),
        (["check", "photos", "--pool", "more"], "are for `label next`"),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        label.main(arguments)


@pytest.mark.parametrize(
    ("flags", "message"),
    [(["--labelled", "bad.json"], "Cannot read"), (["--count", "99999999"], "--count 99999999 is more than the 12")],
)
def test_what_cannot_be_used_is_named_before_tensorflow_is_loaded(flags, message, image_folder, tmp_path):
    (tmp_path / "bad.json").write_text("{")
    code = (
        "import sys\nfrom tl_keras import label\n"
        "try: label.main(sys.argv[2:])\n"
        "except ValueError as error: sys.exit('tensorflow' in sys.modules or not str(error).startswith(sys.argv[1]))"
    )
    flags = [str(tmp_path / flag) if flag == "bad.json" else flag for flag in flags]
    arguments = ["next", "--pool", str(image_folder / "red"), *flags, "--output", str(tmp_path / "out")]
    subprocess.run([sys.executable, "-c", code, message, *arguments], check=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["label_check.csv", "next.csv", "label_studio.json", "recommendation.md", "train.yaml"]
)
def test_a_file_of_the_user_is_not_replaced(name, image_folder, tmp_path):
    (tmp_path / name).write_text("mine,\n,\n")
    calls = {
        "label_check.csv": (label, ["check", str(image_folder)]),
        "recommendation.md": (
            recommend,
            [str(image_folder), "--backbones", "vgg16", "--model.weights", "none", "--recipe", "auto"],
        ),
    }
    calls["train.yaml"] = calls["recommendation.md"]
    verb, call = calls.get(name, (label, ["next", "--pool", str(image_folder)]))
    with pytest.raises(InputError, match=f"holds results of another run or call, such as '{name}'"):
        verb.main([*call, "--output", str(tmp_path)])
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: "mine,\n,\n"}


@pytest.mark.parametrize(
    ("name", "column", "flag"),
    [("label_check.csv", "decision", "--apply"), ("next.csv", "label", "--labelled"), ("next.jsonl", "label", None)],
)
def test_a_table_that_a_person_has_filled_is_not_replaced(name, column, flag, image_folder, tmp_path):
    (tmp_path / name).write_text('{"label": "dog"}' if name == "next.jsonl" else f"name,{column}\na.png,dog\n")
    call = ["check", str(image_folder)] if column == "decision" else ["next", "--pool", str(image_folder)]
    with pytest.raises(InputError, match=f"its column {column} is filled: give it as {flag or '--labelled'}"):
        label.main([*call, "--output", str(tmp_path)])


@pytest.mark.usefixtures("small_network")
def test_labels_of_a_first_round_choose_the_second(image_folder, tmp_path, capsys):
    pool = tmp_path / "pool"
    pool.mkdir()
    for path in image_folder.glob("*/*.png"):
        shutil.copy(path, pool)
    flags = ["--data.image_size", "32", "--model.weights", "none", "--recipe", "auto", "--cache.mode", "off"]
    flags += ["--pool", str(pool)]
    label.main(["next", *flags, "--count", "12", "--output", str(tmp_path / "first")])
    with open(tmp_path / "first" / "next.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    filled = "\n".join(["path,label", *(f"{row['path']},{row['path'].split('-')[0]}" for row in rows)])
    (tmp_path / "first.csv").write_text(filled)
    label.main(["next", *flags, "--count", "2", "--labelled", str(tmp_path / "first.csv"), "--output", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "2 of 36 examples to label next, diverse and uncertain" in printed
    assert f"; `python -m tl_keras.train {pool / 'training.jsonl'}` trains on it\n" in printed
    assert len((pool / "training.jsonl").read_text().splitlines()) == 12


def test_the_command_after_a_correction_trains_on_the_copy(image_folder, tmp_path, capsys):
    photos = tmp_path / "my photos"
    shutil.copytree(image_folder, photos)
    (photos / "red" / "broken.png").write_bytes(b"no image")
    (tmp_path / "label_check.csv").write_text("name,decision\nred/red-00.png,blue\n")
    flags = ["--data.on_bad_file", "skip", "--apply", str(tmp_path / "label_check.csv")]
    label.main(["check", str(photos), *flags, "--output", str(tmp_path / "out")])
    note, *_, last = capsys.readouterr().out.splitlines()
    assert note.startswith("note: 1 image left out of the table, which cannot be read: ") and "red/broken.png" in note
    command = shlex.split(last)
    assert command[:4] == ["next:", "python", "-m", "tl_keras.train"]
    config = parse(command[4:])
    splits = TASKS[config.task].load_data(config)
    assert config.data.on_bad_file == "skip" and splits.skipped == []
    parts = (splits.train, splits.validation, splits.test)
    labels = {
        name: part.class_names[label] for part in parts for name, label in zip(part.names, part.labels, strict=True)
    }
    assert labels["red/red-00.png"] == "blue" and len(labels) == 36
