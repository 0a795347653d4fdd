"""The benchmark of few labels: splits, draws, cells, statistics and report."""

import csv
import hashlib
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import few_labels
from few_label_suite import cells, packages, solved_heads
from few_label_suite.cells import Cell, read_table
from few_label_suite.comparisons import Row, compare, group_cells, mean_over_sets, mean_ranks, pair
from few_label_suite.contenders import command_of
from few_label_suite.draws import draw_examples, draw_rows
from few_label_suite.environment import make_environment
from few_label_suite.examples import Example, split_examples
from few_label_suite.report import write_report
from few_label_suite.sets import REAL_SETS, SETS
from figure_checks.catalogue import read_catalogue
from figure_checks.comparing import SAME, Tolerance, compare_figure

from tl_keras.errors import InputError


def result(accuracy, seconds=1.0):
    return {
        "accuracy": accuracy,
        "log_loss": 1.0,
        "expected_calibration_error": 0.1,
        "cpu_seconds": seconds,
        "train_examples": 10,
        "test_examples": 100,
    }


def row(**accuracies):
    draws = {contender: dict(enumerate(map(result, values))) for contender, values in accuracies.items()}
    return Row("toy_texts", "5", draws)


def test_no_group_is_on_both_sides_of_a_split():
    examples = [Example(number, label, f"{label}{number // 3}") for label in "ab" for number in range(60)]
    sides = split_examples(examples)
    train, test = ({example.group for example in sides[side]} for side in ("train", "test"))
    assert train and not train & test
    assert sum(example.label == "a" for example in sides["test"]) == 24


def test_a_given_split_is_kept():
    examples = [Example(number, "a", str(number), "test" if number < 3 else "train") for number in range(9)]
    sides = split_examples(examples)
    assert sorted(example.content for example in sides["test"]) == [0, 1, 2]
    assert sorted(example.content for example in sides["train"]) == [3, 4, 5, 6, 7, 8]


def test_a_smaller_budget_is_part_of_a_larger_one_and_draws_differ():
    rows = [(str(number), "ab"[number % 2], "train") for number in range(40)]
    five, ten, everything = (draw_rows(rows, budget, 0) for budget in ("5", "10", "all"))
    assert (len(five), len(ten), len(everything)) == (10, 20, 40)
    assert set(five) < set(ten)
    assert set(five) != set(draw_rows(rows, "5", 1))


def test_the_table_of_a_draw_names_images_beside_it(tmp_path):
    draw = draw_examples("toy_images", "5", 0, tmp_path)
    with open(draw.table, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["split"] for row in rows].count("train") == len(draw.train["items"]) == 15
    assert all((Path(draw.table).parent / row["path"]).is_file() for row in rows)
    assert len(draw.test["items"]) == 24


def test_a_text_that_differs_from_a_test_text_in_spaces_is_not_drawn(tmp_path, monkeypatch):
    rows = [("A b", "x", "test"), ("c", "y", "test"), ("a  b", "x", "train"), ("d", "y", "train")]
    table = tmp_path / "toy.csv"
    table.write_text("text,label,split\n" + "".join(f"{','.join(row)}\n" for row in rows))
    monkeypatch.setattr("few_label_suite.draws.write_set", lambda name, folder: table)
    draw = draw_examples("toy_texts", "all", 0, tmp_path)
    assert draw.train["items"] == ["d"] and draw.test["items"] == ["A b", "c"]


def test_every_real_set_states_its_licence():
    licences = ("MIT", "BSD-3", "Apache-2.0", "CC BY 4.0", "CC0", "WordNet licence")
    assert len(REAL_SETS) >= 9
    assert all(any(licence in SETS[name].origin for licence in licences) for name in REAL_SETS)


def test_members_of_a_package_are_read_without_installing_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "a.txt").write_text("content")
    with tarfile.open(tmp_path / "name-1.tgz", "w:gz") as archive:
        archive.add(tmp_path / "a.txt", "package/a.txt")
    copy = [sys.executable, "-c", "import shutil, sys; shutil.copy(*sys.argv[1:])", str(tmp_path / "name-1.tgz")]
    monkeypatch.setattr(packages, "_npm_command", lambda package, folder: [*copy, str(folder)])
    digest = hashlib.sha256((tmp_path / "name-1.tgz").read_bytes()).hexdigest()
    assert packages.read_member(packages.Package("name@1", digest), "package/a.txt") == b"content"
    with pytest.raises(InputError, match="expected 0000"):
        packages.read_member(packages.Package("name@1", "0" * 64), "package/a.txt")


def test_a_package_that_cannot_be_downloaded_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    failing = [sys.executable, "-c", "raise SystemExit('no connection')"]
    monkeypatch.setattr(packages, "_pip_command", lambda package, folder: failing)
    with pytest.raises(InputError, match=r"name==1 could not be downloaded \(no connection\)"):
        packages.fetch(packages.Package("name==1", "0" * 64))


def test_a_wheel_is_read_as_an_archive(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "name.whl", "w") as archive:
        archive.writestr("name/data.txt", "content")
    monkeypatch.setattr(packages, "fetch", lambda package: tmp_path / "name.whl")
    package = packages.Package("name==1", "")
    assert packages.read_members(package, lambda name: name.endswith(".txt")) == {"name/data.txt": b"content"}


def test_solved_heads_find_a_separable_class(monkeypatch):
    generator = np.random.default_rng(0)
    labels = ["a", "b"] * 20
    separable = np.where(np.array(labels)[:, None] == "a", 3.0, -3.0) + generator.normal(size=(40, 4))
    noise = generator.normal(size=(40, 4))
    monkeypatch.setattr(solved_heads, "_compute_features", lambda job, items: (np.hstack([separable, noise]), 4))
    parts = {"train": {"items": [""] * 20, "labels": labels[:20]}, "test": {"items": [""] * 20}, "features": None}
    accuracies = {}
    for contender in ("logistic_all", "logistic_last", "nearest_centroid"):
        probabilities = solved_heads.predict_by_solved_head({"contender": contender, "draw": 0} | parts)
        assert np.allclose(probabilities.sum(axis=1), 1)
        accuracies[contender] = np.mean(probabilities.argmax(axis=1) == [label == "b" for label in labels[20:]])
    assert accuracies["logistic_all"] == 1 > accuracies["logistic_last"]


def test_a_later_draw_computes_only_new_features(tmp_path, monkeypatch):
    computed = []

    def compute(job, items):
        computed.append(items)
        return np.array([[float(item), 0.0, -float(item)] for item in items]), 2

    monkeypatch.setattr(solved_heads, "_compute_features", compute)
    job = {"features": str(tmp_path / "features" / "toy.npz"), "test": {"items": ["3"]}}
    solved_heads.read_features(job | {"train": {"items": ["2", "1"]}})
    features, last_width = solved_heads.read_features(job | {"train": {"items": ["4", "2", "1"]}})
    assert computed == [["1", "2", "3"], ["4"]]
    assert (features[:, 0].tolist(), last_width) == ([4, 2, 1, 3], 2)


def test_the_command_of_a_recipe_trains_on_the_table_of_the_draw():
    job = {"kind": "images", "table": "5-0.csv", "draw": 3, "run": "run", "weights": None}
    command = " ".join(command_of("auto", job, "job.json", None))
    assert "--data.path 5-0.csv --recipe auto --seed 3" in command
    assert command.endswith("--model.weights none")
    assert command_of("fastai", job, "job.json", "other/python")[0] == "other/python"


def test_finished_cells_are_read_and_their_report_is_written(tmp_path):
    flags = ["--folder", str(tmp_path), "--output", str(tmp_path / "report"), "--sets", "toy_texts"]
    flags += ["--contenders", "tfidf", "--draws", "1", "--budgets", "5"]
    few_labels.main(flags)
    (path,) = (tmp_path / "cells" / "tfidf").glob("*.json")
    measured = json.loads(path.read_text())
    assert measured["accuracy"] > 0.8
    assert measured["cpu_seconds"] > 0.1
    assert (measured["train_examples"], measured["test_examples"]) == (10, 16)
    table = tmp_path / "report" / "FEW_LABELS.csv"
    text = table.read_text()
    table.write_text(text.replace(f",{measured['accuracy']},", ",0.125,"))
    path.unlink()
    few_labels.main(flags)
    assert not path.exists(), "a cell of the table was repeated"
    assert "| tfidf | 0.125 ± 0.000 (" in (tmp_path / "report" / "FEW_LABELS.md").read_text()
    assert table.read_text() != text
    assert not (tmp_path / "report" / "few_labels.png").exists(), "one number of labels is no curve"


def test_a_pair_has_the_rows_and_draws_of_both_only():
    rows = [row(auto=[0.5, 0.7, 0.1], fastai=[0.4, 0.4]), row(auto=[0.9, 0.9]), row(auto=[0.8], fastai=[0.1])]
    found = pair(rows, "auto", "fastai")
    assert (found.rows, found.first, found.second) == (1, pytest.approx(0.6), pytest.approx(0.4))
    assert found.error == pytest.approx(0.1)
    assert pair(rows, "auto", "setfit") is None


def test_a_failed_cell_is_reported_and_not_kept(tmp_path, monkeypatch, capsys):
    failing = [sys.executable, "-c", "raise SystemExit('the reason')"]
    monkeypatch.setattr(cells, "command_of", lambda *arguments: failing)
    cell = Cell("toy_texts", "5", 0, "tfidf")
    assert cells.run_cell(cell, tmp_path, 128) is None
    assert "failed with exit code 1" in capsys.readouterr().err
    assert not cell.path(tmp_path).exists()
    assert cell.path(tmp_path).with_suffix(".log").read_text() == "the reason\n"


def test_a_cell_finds_downloads_in_the_cache_but_nothing_that_another_computed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    for name in ("tl_keras/features", "tl_keras/package-1", "matplotlib"):
        (tmp_path / "home" / name).mkdir(parents=True)
    variables = make_environment(tmp_path / "cell" / "cache")
    cache = Path(variables["XDG_CACHE_HOME"])
    assert sorted(path.name for path in cache.iterdir()) == ["matplotlib", "tl_keras"]
    assert [path.name for path in (cache / "tl_keras").iterdir()] == ["package-1"]
    assert variables["OMP_NUM_THREADS"] == "1"
    assert make_environment(tmp_path / "cell" / "cache") == variables


def test_a_win_is_a_difference_beyond_two_standard_errors():
    measured = row(auto=[0.80, 0.90, 0.85], worse=[0.70, 0.81, 0.74], close=[0.70, 0.95, 0.85], better=[0.9, 1.0, 0.95])
    outcomes = {name: compare(measured, "auto", name).outcome for name in ("worse", "close", "better")}
    assert outcomes == {"worse": 1, "close": 0, "better": -1}
    assert compare(measured, "auto", "worse").mean == pytest.approx(0.1)


def test_one_test_example_is_no_win():
    assert compare(row(auto=[0.81, 0.81], other=[0.80, 0.80]), "auto", "other").outcome == 0


def test_one_draw_is_not_compared():
    assert compare(row(auto=[0.9], other=[0.1]), "auto", "other") is None


def test_ranks_and_means():
    rows = [row(a=[0.9, 0.7], b=[0.8, 0.8], c=[0.5, 0.5]), row(a=[0.2], b=[0.3])]
    assert mean_ranks(rows) == {"a": 1.75, "b": 1.25, "c": 3.0}
    assert mean_over_sets(rows, "a", "accuracy") == pytest.approx(0.5)
    assert mean_over_sets(rows, "c", "accuracy") is None


def test_cells_are_grouped_by_set_and_budget():
    found = group_cells({Cell("toy_texts", "5", draw, "auto"): result(0.5 + draw / 10) for draw in (0, 1)})
    assert len(found) == 1
    assert found[0].values("auto", "accuracy") == [0.5, 0.6]


def test_the_report_lists_every_loss(tmp_path):
    measured = {}
    for contender, accuracies in {"auto": (0.5, 0.6), "logistic_all": (0.8, 0.9), "tfidf": (0.1, 0.2)}.items():
        for draw, accuracy in enumerate(accuracies):
            # Only the seconds of draw 0 count.
            measured[Cell("toy_texts", "10", draw, contender)] = result(accuracy, seconds=7 + 100 * draw)
    write_report(measured, tmp_path)
    text = (tmp_path / "FEW_LABELS.md").read_text()
    assert "few_labels.png" not in text and "Losses of auto: 1." in text
    assert "toy_texts, 10: auto is 30.0 ± 1.0 points below logistic_all." in text
    assert "| auto | 0.550 | 2.0 (1) | 1.00 | 0.100 | 7 |  |" in text
    assert "| tfidf | 0.150 | 3.0 (1) | 1.00 | 0.100 | 7 | 1 / 0 / 0 |" in text
    assert "| tfidf | 1 | 0.550 | 0.150 | +40.0 ± 1.0 | 7 | 7 |" in text


def test_several_numbers_of_labels_are_a_curve(tmp_path):
    measured = {Cell("toy_texts", budget, 0, "auto"): result(0.5, seconds=7) for budget in ("5", "10")}
    _, plot = write_report(measured, tmp_path)
    assert plot.stat().st_size < 200_000


def test_the_report_in_the_repository_is_that_of_its_table_and_the_pages_show_it(tmp_path):
    folder = Path(few_labels.__file__).parent
    write_report(read_table(folder / "FEW_LABELS.csv"), tmp_path)
    report = (tmp_path / "FEW_LABELS.md").read_text(encoding="utf-8")
    assert report == (folder / "FEW_LABELS.md").read_text(encoding="utf-8")
    [command] = [one for one in read_catalogue().commands if one.name == "few_labels"]
    compared = [one for figure in command.figures for one in compare_figure(figure, report, Tolerance())]
    assert len(compared) > 100 and {one.verdict for one in compared} == {SAME}
    assert (folder / "few_labels.png").read_bytes() == (folder.parent / "docs" / "few_labels.png").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("contender", ["feature_extraction", "logistic_all"])
def test_a_network_runs_on_a_toy_set(contender, tmp_path):
    measured = cells.run_cell(Cell("toy_images", "5", 0, contender), tmp_path, image_size=32)
    assert measured["test_examples"] == 24
