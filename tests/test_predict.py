import csv
import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas
import pytest

from tl_keras import load_run, predict
from tl_keras.cli.verbs import run_verb
from tl_keras.errors import InputError
from tl_keras.tasks.base import PredictionOptions


def test_a_table_names_the_most_probable_classes(finished_run, image_folder, capsys):
    file = str(image_folder / "red" / "red-00.png")
    predict.main([str(finished_run[0]), file, "--top", "2"])
    name, first, share, second, _ = capsys.readouterr().out.split()
    assert name == file
    assert first == "red"
    assert second in ("blue", "green")
    assert share.endswith("%")


def test_csv_of_a_folder(finished_run, image_folder, tmp_path, capsys):
    output = tmp_path / "labels.csv"
    table = ["--output", str(output), "--top", "5"]
    predict.main([str(finished_run[0]), str(image_folder), *table])
    assert capsys.readouterr().err.endswith(f"predictions: 36 written to {output}\n")
    rows = list(csv.DictReader(output.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 36 and len(rows[0]) == 1 + 2 * 3
    assert sum(float(rows[0][f"probability_{rank}"]) for rank in (1, 2, 3)) == pytest.approx(1, abs=1e-5)
    assert sum(row["label_1"] in row["file"].split("/")[-1] for row in rows) >= 24


def test_a_table_of_images_keeps_its_columns(finished_run, image_folder, tmp_path, capsys):
    for name in ("red", "blue"):
        (tmp_path / f"{name}.png").write_bytes((image_folder / name / f"{name}-00.png").read_bytes())
    table = tmp_path / "table.csv"
    table.write_text("id,file,kind\n7,red.png,=x\n8,blue.png,\n9,red.png,z\n")
    flags = ["--path_column", "file", "--output", str(tmp_path / "out.csv")]
    predict.main([str(finished_run[0]), str(table), *flags])
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert [(row["id"], row["file"], row["kind"]) for row in rows] == [
        ("7", "red.png", "'=x"),
        ("8", "blue.png", ""),
        ("9", "red.png", "z"),
    ]
    images = [str(tmp_path / row["file"]) for row in rows]
    assert [row["label_1"] for row in rows] == load_run(finished_run[0]).classify(images)
    predict.main([str(finished_run[0]), str(table), "--data.path_column=file", "--format", "jsonl", "--top", "1"])
    assert json.loads(capsys.readouterr().out.splitlines()[0]).items() >= {"id": "7", "file": "red.png"}.items()
    with pytest.raises(InputError, match="is read for the predictions"):
        predict.main([str(finished_run[0]), str(table), "--path_column", "file", "--output", str(table)])


def test_jsonl(finished_run, image_folder, capsys):
    predict.main([str(finished_run[0]), str(image_folder / "blue"), "--format", "jsonl", "--top", "1"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 12
    assert set(lines[0]) == {"file", "labels"}
    assert set(lines[0]["labels"][0]) == {"label", "probability"}


def test_files_below_a_confidence_are_called_unsure(finished_run, image_folder, tmp_path, capsys):
    threshold = float(np.median(load_run(finished_run[0]).predict(image_folder).max(axis=1)))
    unsure = ["--min_confidence", str(threshold), "--format"]
    predict.main([str(finished_run[0]), str(image_folder), *unsure, "jsonl"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for line in lines:
        best = line["labels"][0]
        assert line["decision"] == (best["label"] if best["probability"] >= threshold else "unsure")
    assert 0 < sum(line["decision"] == "unsure" for line in lines) < len(lines)
    predict.main([str(finished_run[0]), str(image_folder), *unsure, "parquet", "--output", str(tmp_path)])
    assert list(pandas.read_parquet(tmp_path)["decision"]) == [line["decision"] for line in lines]


def test_shards_of_parquet_files_hold_every_item_once(finished_run, image_folder, tmp_path, capsys):
    output = tmp_path / "predicted.parquet"
    for number in (1, 2):
        shard = ["--shard", f"{number}/2", "--output", str(output)]
        predict.main([str(finished_run[0]), str(image_folder), "--top", "1", *shard])
        assert capsys.readouterr().err.endswith(f"predictions: 18 written to {output}\n")
    table = pandas.read_parquet(output)
    assert len(table) == len(set(table["file"])) == 36
    assert sum(labels[0]["label"] in file for file, labels in zip(table["file"], table["labels"], strict=True)) >= 24


def test_batches_do_not_change_the_order_or_the_result(finished_run, image_folder):
    run, options = load_run(finished_run[0]), PredictionOptions(top=1)
    files = run.task.find_items(run.config, [str(image_folder)], options)
    together = list(run.task.predict_items(run, files, options))
    alone = [next(run.task.predict_items(run, [file], options)) for file in files[::7]]
    assert [file for file, _, _ in together] == files
    for (_, one, _), (_, other, _) in zip(together[::7], alone, strict=True):
        assert one[0][0] == other[0][0]
        assert one[0][1] == pytest.approx(other[0][1], abs=1e-5)


def test_unreadable_files_are_reported_and_the_others_predicted(finished_run, image_folder, tmp_path, capsys):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    good = str(image_folder / "red" / "red-00.png")
    with pytest.raises(SystemExit) as stop:
        run_verb(predict.main, [str(finished_run[0]), str(bad), good])
    printed = capsys.readouterr()
    assert stop.value.code == 2
    assert good in printed.out
    assert "bad.png" in printed.err
    assert "empty" in printed.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{run}", "nothing.png"], "Nothing found at 'nothing.png'"),
        (["{run}", "{empty}"], "No image found in"),
        (["{empty}", "x.png"], "is not a run folder"),
        (["{run}", "x.png", "--top", "0"], "--top must be at least 1"),
        (["{run}", "x.png", "--top", "many"], "--top: expected a whole number, such as 5, got 'many'"),
        (["{run}", "x.png", "--outputt", "y"], "Unknown flag '--outputt': did you mean '--output'?"),
        (["{run}", "{image}", "--output", "{empty}/no/x.csv"], "give --output a file in a folder that exists"),
        (["{run}", "{image}", "--output", "{empty}/" + 256 * "x"], "File name too long"),
        (["r" * 300, "{image}"], "is not a run folder"),
        (["{run}", "{image}", "--shard", "4/3"], "--shard '4/3': expected a number and a count"),
        (["{run}", "{image}", "--format", "parquet"], "give --output a folder"),
        (["{run}", "{image}", "--output", "x.xlsx"], "--output 'x.xlsx' names no known format"),
        (["{run}", "{image}", "--min_confidence", "80"], "--min_confidence '80': expected a number from 0 to 1"),
        (["{run}", "{image}", "--min_confidence", "auto"], "recommends none, see its report: give a number"),
        (["{run}", "{image}", "--text_column", "x"], "--text_column is for runs on texts"),
        (["{run}", "{image}", "--path_column", "a", "--data.path_column", "b"], "are one setting: got 'a' and 'b'"),
        (["{run}", "{image}", "--output", "{empty}"], "is a folder: give a file in it, such as"),
        (["{run}", "{image}", "--output", "{notes}"], "exists, and no record beside it shows"),
        (["{run}", "{image}", "--output", "{image}", "--format", "csv"], "is read for the predictions"),
        (["{run}", "{image}", "--output", "{data}", "--format", "csv"], "is read for the predictions or the training"),
    ],
)
def test_bad_input_is_one_sentence(finished_run, image_folder, tmp_path, capsys, arguments, message):
    places = {
        "run": finished_run[0],
        "empty": tmp_path,
        "data": image_folder,
        "image": image_folder / "red" / "red-00.png",
        "notes": tmp_path / "notes.txt",
    }
    places["notes"].write_text("buy milk\n")
    with pytest.raises(SystemExit) as stop:
        run_verb(predict.main, [argument.format(**places) for argument in arguments])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert message in error
    assert error.count("\n") == 1


def test_a_reader_that_has_had_enough_is_no_error(finished_run, image_folder):
    command = f"{sys.executable} -m tl_keras.predict {finished_run[0]} {image_folder} --top 1"
    result = subprocess.run(["sh", "-c", f"{command} | head -1"], capture_output=True, text=True)
    assert len(result.stdout.splitlines()) == 1
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("form", "shown"), [("table", b"caf\xe9\xef\xbf\xbd.png"), ("csv", b"caf\xe9\n.png")])
def test_names_that_are_no_utf8(finished_run, image_folder, tmp_path, monkeypatch, form, shown):
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9\n.png")
    shutil.copy(image_folder / "red" / "red-00.png", path)
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="utf-8"))
    predict.main([str(finished_run[0]), str(tmp_path), "--format", form])
    sys.stdout.flush()
    assert shown in printed.getvalue() and b"red" in printed.getvalue()
