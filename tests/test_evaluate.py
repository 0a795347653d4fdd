import csv
import json
import shutil
from pathlib import Path

import pytest

import tl_keras as tl
from tl_keras import evaluate
from tl_keras.cli.verbs import run_verb
from tl_keras.errors import InputError
from tl_keras.system.checksums import write_manifest
from tl_keras.training.results import format_results


def test_the_own_test_split_gives_the_figures_of_the_training(finished_run):
    folder, _ = finished_run
    results = evaluate.evaluate_run(tl.load_run(folder))
    again, before = results.read_json("metrics.json"), json.loads((folder / "metrics.json").read_text())
    assert again["confusion_matrix"] == before["confusion_matrix"]
    assert again["log_loss"] == pytest.approx(before["log_loss"], abs=1e-6)
    for name in ("baselines", "verdict"):
        assert again[name] == before[name]
    test_rows = [row for row in read_rows(folder) if row["split"] == "test"]
    again_rows = read_rows(results.path)
    assert len(test_rows) == again["examples"]
    # The last digit may be rounded to either side.
    probabilities = [[float(row.pop("probability")) for row in rows] for rows in (test_rows, again_rows)]
    assert probabilities[0] == pytest.approx(probabilities[1], abs=1e-5)
    assert again_rows == test_rows


def read_rows(folder):
    with open(folder / "predictions.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_predictions_of_a_run_give_its_accuracy_and_its_splits(finished_run, image_folder):
    rows = read_rows(finished_run[0])
    assert sorted(row["name"] for row in rows) == sorted(
        str(p.relative_to(image_folder)) for p in image_folder.glob("*/*")
    )
    test_rows = [row for row in rows if row["prediction"]]
    assert {row["split"] for row in test_rows} == {"test"} and {row["split"] for row in rows} >= {"train", "test"}
    accuracy = json.loads((finished_run[0] / "metrics.json").read_text())["accuracy"]
    assert sum(row["label"] == row["prediction"] for row in test_rows) / len(test_rows) == pytest.approx(accuracy)
    assert all(row["label"] == row["name"].split("/")[0] for row in rows)


def test_other_data_with_fewer_classes_are_aligned_by_name(finished_run, image_folder, tmp_path, capsys):
    for name in ("green", "red"):
        shutil.copytree(image_folder / name, tmp_path / "new" / name)
    evaluate.main([str(finished_run[0]), str(tmp_path / "new")])
    assert "24 examples" in capsys.readouterr().out
    [results] = (finished_run[0] / "evaluations").glob("new-*")
    metrics = json.loads((results / "metrics.json").read_text())
    assert metrics["accuracy"] >= 0.6
    assert metrics["per_class"]["blue"]["support"] == 0
    assert "accuracy" in metrics["intervals"]
    assert "baselines" not in metrics


def test_a_run_of_version_0_1_0_is_tested_with_intervals(image_folder, tmp_path):
    saved = Path(__file__).parent / "runs" / "saved_before_rooms" / "image_classification"
    run = tl.load_run(shutil.copytree(saved, tmp_path / "run"))
    metrics = evaluate.evaluate_run(run, image_folder).read_json("metrics.json")
    assert list(metrics["intervals"]) == ["accuracy", "macro_f1", "log_loss", "expected_calibration_error"]


def test_other_data_of_the_name_of_a_split_have_a_place_of_their_own(finished_run, image_folder, tmp_path):
    run = tl.load_run(finished_run[0])
    own = evaluate.evaluate_run(run).path
    folders = [evaluate.evaluate_run(run, shutil.copytree(image_folder, tmp_path / n / "test")).path for n in "ab"]
    assert len({own, *folders}) == 3


@pytest.mark.parametrize(("split", "count"), [(None, 6), ("val", 9), ("all", 18)])
def test_other_data_are_tested_on_their_test_split(finished_run, image_folder, tmp_path, split, count, capsys):
    for name in ("blue", "green", "red"):
        paths = sorted((image_folder / name).iterdir())
        for part, files in {"train": paths[:1], "val": paths[1:4], "test": paths[4:6]}.items():
            (tmp_path / "new" / part / name).mkdir(parents=True)
            for file in files:
                shutil.copy(file, tmp_path / "new" / part / name)
    flags = ["--split", split] if split else []
    evaluate.main([str(finished_run[0]), "--data", str(tmp_path / "new"), *flags])
    assert f"{count} examples" in capsys.readouterr().out


def test_the_splits_of_the_run_itself_can_be_tested(finished_run, tmp_path, capsys):
    run, rows = tl.load_run(finished_run[0]), read_rows(finished_run[0])
    results = evaluate.evaluate_run(run, split="val")
    assert results.path.name == "validation" and "baselines" not in results.read_json("metrics.json")
    validation = [row["name"] for row in rows if row["split"] == "validation"]
    assert [row["name"] for row in read_rows(results.path)] == validation
    with pytest.raises(InputError, match="--split all: a run has train, validation, test"):
        evaluate.evaluate_run(run, split="all")


def test_training_examples_in_other_data_are_counted_and_left_out_beside(finished_run, image_folder, tmp_path, capsys):
    folder = finished_run[0]
    seen = {row["name"] for row in read_rows(folder) if row["split"] != "test"}
    names = [row["name"] for row in read_rows(folder)][-18:]
    for number, name in enumerate(names):
        path = tmp_path / "new" / name.split("/")[0] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image_folder / name, path)
    num_seen = len(seen & set(names))
    evaluate.main([str(folder), "--data", str(tmp_path / "new"), "--output", str(tmp_path / "results")])
    line = f"Warning: {num_seen} of these 18 examples are training or validation examples of the run; without them: acc"
    assert 0 < num_seen < 18 and line in capsys.readouterr().out
    metrics = json.loads((tmp_path / "results" / "metrics.json").read_text())["seen_examples"]
    assert metrics["without_them"]["examples"] == 18 - metrics["examples"] == 18 - num_seen
    assert set(metrics["without_them"]) >= {"accuracy", "macro_f1", "intervals"}


def test_classes_that_only_training_examples_have_are_named(finished_run, image_folder, tmp_path, capsys):
    folder = finished_run[0]
    chosen = {"train": ("blue", "red"), "test": ("red",)}
    for row in read_rows(folder):
        name = row["name"]
        if name.split("/")[0] in chosen.get(row["split"], ()):
            path = tmp_path / "new" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(image_folder / name, path)
    evaluate.main([str(folder), "--data", str(tmp_path / "new"), "--output", str(tmp_path / "results")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "note: The figures are for 2 of 3 classes: there is no tested example of green."
    note = "note: without them: The figures are for 1 of 3 classes: there is no tested example of blue; green."
    assert note in lines


def test_digests_of_another_version_are_reported_in_a_sentence(finished_run, image_folder, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(finished_run[0], folder)
    digests = (folder / "seen_examples.txt").read_text().partition("\n")[2]
    (folder / "seen_examples.txt").write_text(digests)
    write_manifest(folder, exclude=("checkpoints", "evaluations"))
    results = evaluate.evaluate_run(tl.load_run(folder), image_folder)
    assert "seen_examples" not in results.read_json("metrics.json")
    assert "note: the digests of its training examples are of another version" in capsys.readouterr().out


def test_data_of_training_examples_alone_show_nothing(finished_run, image_folder, tmp_path):
    for row in read_rows(finished_run[0]):
        if row["split"] == "train":
            (tmp_path / "all" / row["label"]).mkdir(parents=True, exist_ok=True)
            shutil.copy(image_folder / row["name"], tmp_path / "all" / row["label"])
    run = tl.load_run(finished_run[0])
    results = evaluate.evaluate_run(run, tmp_path / "all")
    assert "the figures do not show what it is worth on new data" in format_results(results, run.task)


def test_tables_are_read_by_the_columns_of_the_command_line(finished_run, image_folder, tmp_path, capsys):
    rows = [f"{name}/{name}-00.png,{name}" for name in ("blue", "red")]
    (image_folder / "table.csv").write_text("\n".join(["file,colour", *rows]))
    data = ["--data", str(image_folder / "table.csv"), "--output", str(tmp_path / "results")]
    columns = ["--path_column", "file", "--data.label_column", "colour"]
    evaluate.main([*columns, str(finished_run[0]), *data])
    (image_folder / "table.csv").unlink()
    assert "(2 examples)" in capsys.readouterr().out
    with pytest.raises(InputError, match="--data.path_column is for other data: give them as DATA"):
        evaluate.main([str(finished_run[0]), *columns])


def test_data_may_follow_flags_and_are_given_once(finished_run, tmp_path):
    for call in (["--split", "all", str(tmp_path)], ["--data", str(tmp_path)], ["--data.path", str(tmp_path)]):
        with pytest.raises(InputError, match=str(tmp_path)):
            evaluate.main([str(finished_run[0]), *call])
    with pytest.raises(InputError, match="Got the data 'a' and --data 'b': give one of them"):
        evaluate.main([str(finished_run[0]), "a", "--data", "b"])
    for flags in (["--data", "a", "--data.path", "b"], ["--data.path_column", "a", "--path_column", "b"]):
        with pytest.raises(InputError, match="are one setting: got 'a' and 'b', give one of them"):
            evaluate.main([str(finished_run[0]), *flags])


def test_a_class_that_the_model_never_saw_is_named(finished_run, image_folder, tmp_path, capsys):
    shutil.copytree(image_folder / "red", tmp_path / "reds")
    shutil.copytree(image_folder / "blue", tmp_path / "blue")
    with pytest.raises(SystemExit) as stop:
        run_verb(evaluate.main, [str(finished_run[0]), "--data", str(tmp_path)])
    assert stop.value.code == 2
    assert "'reds'" in capsys.readouterr().err


def test_the_results_are_written_to_another_folder_on_request(finished_run, tmp_path, capsys):
    evaluate.main([str(finished_run[0]), "--output", str(tmp_path / "deep" / "results")])
    assert str(tmp_path / "deep" / "results" / "confusion_matrix.png") in capsys.readouterr().out
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"Cannot write results to .*/file/x' \(Not a directory\): give --output"):
        evaluate.main([str(finished_run[0]), "--output", str(tmp_path / "file" / "x")])


def test_wrong_data_are_refused_before_the_model_is_loaded(finished_run, tmp_path):
    run = tl.load_run(finished_run[0])
    with pytest.raises(InputError):
        evaluate.evaluate_run(run, tmp_path / "nothing")
    assert "model" not in vars(run)
