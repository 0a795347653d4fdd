"""Extraction and comparison of figures on canned outputs."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import figures
from figure_checks import catalogue, comparing, paired_runs, running
from figure_checks.catalogue import Catalogue, Command, Figure
from figure_checks.comparing import DIFFERS, REPORTED, SAME, Tolerance, judge
from figure_checks.patterns import compile_template, field_kinds, to_number

PAGE = """# Results

The accuracy is 0.893 (0.82 to
0.94) on 121 images, in 76 CPU s.

| set | accuracy |
|---|---|
| emoji | 0.816 ± 0.010 |
| digits, small | .7 ± .2 |

## Texts

| emoji | 0.5 ± 0.1 |
"""
SENTENCE = "accuracy is {accuracy} ({accuracy_low} to {accuracy_high}) on {images:exact} images, in {cpu:cost} CPU s"
ROWS = "| {set:key} | {accuracy} ± {accuracy_spread} |"
TRAINING = (r"test: accuracy (?P<accuracy>[\d.]+)", r"on (?P<images>\d+) images", r"CPU seconds: (?P<cpu>\d+)")
PRINTED = "test: accuracy {} (0.8 to 0.9)\non {} images\nCPU seconds: {}\n"


@pytest.fixture
def root(tmp_path, monkeypatch):
    for module in (catalogue, running):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    for name in ("benchmarks", "notebooks", "data", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    return tmp_path


def verdicts(figure, output, **tolerance):
    results = comparing.compare_figure(figure, output, Tolerance(**tolerance))
    return {result.name: result.verdict for result in results}


def test_a_template_reads_numbers_across_lines_and_keys_within_cells():
    match = compile_template(SENTENCE).search(PAGE)
    assert match.groupdict() == {
        "accuracy": "0.893", "accuracy_low": "0.82", "accuracy_high": "0.94", "images": "121", "cpu": "76"
    }  # fmt: skip
    assert [match["set"] for match in compile_template(ROWS).finditer(PAGE)] == ["emoji", "digits, small", "emoji"]
    assert list(map(to_number, ("1,234", "−.5", "+22.9"))) == [1234, -0.5, 22.9]
    with pytest.raises(ValueError, match="received .*'guess'"):
        field_kinds("{accuracy:guess}")


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [
        ((0.90, 121, 80), {}),
        ((0.81, 121, 80), {"accuracy": DIFFERS}),
        ((0.90, 120, 80), {"images": DIFFERS}),
        ((0.90, 121, 152), {"cpu": DIFFERS}),
    ],
)
def test_a_sentence_is_compared_with_what_was_printed(printed, verdict, root):
    figure = Figure("page.md", SENTENCE, TRAINING)
    expected = {"accuracy": SAME, "images": SAME, "cpu": SAME} | verdict
    assert verdicts(figure, PRINTED.format(*printed)) == expected


def test_times_of_another_machine_are_only_reported(root):
    output = PRINTED.format(0.9, 121, 152)
    assert verdicts(Figure("page.md", SENTENCE, TRAINING), output, same_machine=False)["cpu"] == REPORTED


def test_rows_are_compared_by_their_keys_within_their_section(root):
    output = "| emoji | 0.83 ± 0.01 |\n| digits, small | 0.35 ± 0.2 |\n\n## Texts\n| emoji | 0.5 ± 0.1 |\n"
    rows = verdicts(Figure("page.md", ROWS, section="# Results"), output)
    assert rows["emoji accuracy"] == rows["digits, small accuracy"] == SAME
    assert verdicts(Figure("page.md", ROWS, section="## Texts"), output)["emoji accuracy"] == SAME
    without = verdicts(Figure("page.md", ROWS, section="# Results"), "| emoji | 0.79 ± 0.01 |\n")
    assert without["emoji accuracy"] == without["digits, small accuracy"] == DIFFERS


@pytest.mark.parametrize(
    ("kind", "stated", "measured", "verdict"),
    [
        ("score", "0.893", "0.9130", SAME),
        ("score", "0.893", "0.9140", DIFFERS),
        ("score", "9", "9.4", SAME),
        ("percent", "71", "73", SAME),
        ("percent", "71", "74", DIFFERS),
        ("exact", "5,130", "5130", SAME),
        ("exact", "5,130", "5131", DIFFERS),
        ("cost", "12.0", "18.0", SAME),
        ("cost", "12.0", "18.1", DIFFERS),
        ("cost", "0.1", "0.2", SAME),
    ],
)
def test_the_kind_of_a_figure_decides(kind, stated, measured, verdict):
    assert judge("figure", kind, {"figure": stated}, measured, Tolerance()) == verdict


def run_figures(root, monkeypatch, run, *arguments):
    toy = Command("training", run, 1, (Figure("page.md", SENTENCE, TRAINING),))
    monkeypatch.setattr(figures, "read_catalogue", lambda: Catalogue("none", (toy,), ()))
    return figures.main([*arguments, "--folder", str(root / "kept")])


def test_a_command_runs_once_and_differences_are_the_exit_code(root, monkeypatch, capsys):
    run = "echo $XDG_CACHE_HOME >> runs.txt; printf 'test: accuracy 0.7\\non 121 images\\n'"
    for _ in range(2):
        assert run_figures(root, monkeypatch, run) == 1
        assert "| page.md | accuracy | 0.893 | 0.7 | differs |" in capsys.readouterr().out
    assert (root / "kept" / "runs.txt").read_text() == f"{root / 'kept' / 'cache'}\n"
    assert run_figures(root, monkeypatch, run.replace("0.7", "0.9")) == 0
    assert run_figures(root, monkeypatch, "echo broken; exit 3") == 1
    assert "exit code 3: broken" in capsys.readouterr().out


def test_figures_are_listed_and_chosen(root, monkeypatch, capsys):
    assert run_figures(root, monkeypatch, "exit 3", "--list", "--only", "page") == 0
    assert "training, about 1 minutes: exit 3\n  page.md: accuracy is" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="got nothing"):
        run_figures(root, monkeypatch, "exit 3", "--only", "nothing")


def test_pairs_of_runs_are_compared(tmp_path, capsys):
    for name, accuracy, loss in (("a1", 0.7, 0.5), ("a2", 0.8, 0.4), ("b1", 0.6, 0.6), ("b2", 0.6, 0.5)):
        (tmp_path / name).mkdir()
        metrics = {"accuracy": accuracy, "log_loss": loss, "examples": 121}
        (tmp_path / name / "metrics.json").write_text(json.dumps(metrics))
    paired_runs.main([str(tmp_path / name) if name != "--" else name for name in ("a1", "a2", "--", "b1", "b2")])
    assert capsys.readouterr().out.splitlines() == [
        "121 test examples",
        "accuracy 0.750 and 0.600, difference +0.150 ± 0.050",
        "log_loss 0.450 and 0.550, difference -0.100 ± 0.000",
    ]
