from tests.studies.comparison.comparisons import make_result
from tl_keras.studies.comparison.grid import list_cells
from tl_keras.studies.comparison.progress import Progress
from tl_keras.studies.comparison.terms import CLASSES


def test_each_line_counts_the_cells_and_estimates_the_rest(capsys, monkeypatch):
    clock = iter([0.0, 60.0, 60.0, 70.0])
    monkeypatch.setattr("tl_keras.studies.comparison.progress.time.monotonic", lambda: next(clock))
    cells = list_cells(("auto",), ("5", "all"), 2)
    progress = Progress(cells, {cells[3]: make_result(0.5)}, CLASSES)
    for cell in cells[:2]:
        progress.report(cell, progress.timed(cell, lambda: make_result(0.75)))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1 of 4 cells are finished already"
    assert lines[1] == "[2/4] auto, 5 labels a class, draw 0: accuracy 0.750, 2.0 CPU s; about 61 s left"
    assert lines[2].endswith("all labels, draw 0: accuracy 0.750, 2.0 CPU s; about 60 s left")
    assert progress.seconds_of(cells[2]) == 60 and progress.seconds_of(cells[3]) == 5.5


def test_finished_cells_of_an_earlier_process_tell_the_time_of_the_others(capsys):
    cells = list_cells(("auto", "scratch"), ("all",), 2)
    progress = Progress(cells, {cell: make_result(0.5, seconds=7.0) for cell in cells[:2]}, CLASSES)
    assert progress.seconds_of(cells[2]) == 7.0
    progress.report(cells[2], progress.timed(cells[2], lambda: make_result(0.75)))
    assert capsys.readouterr().out.endswith("; about 7 s left\n")


def test_no_time_is_estimated_before_each_method_was_measured(capsys, monkeypatch):
    clock = iter([0.0, 0.2, 1.0, 31.0, 40.0, 40.2])
    monkeypatch.setattr("tl_keras.studies.comparison.progress.time.monotonic", lambda: next(clock))
    cells = list_cells(("solved_head", "fine_tuning"), ("all",), 2)
    progress = Progress(cells, {}, CLASSES)
    for cell in cells[:3]:
        progress.report(cell, progress.timed(cell, lambda: make_result(0.75)))
    rests = [line.split("; ")[1] for line in capsys.readouterr().out.splitlines()]
    assert rests == [
        "3 cells left, their time is known once each method was measured",
        "about 30 s left",
        "about 30 s left",
    ]


def test_a_cell_that_was_skipped_is_not_left(capsys, monkeypatch):
    clock = iter([0.0, 8.0])
    monkeypatch.setattr("tl_keras.studies.comparison.progress.time.monotonic", lambda: next(clock))
    cells = list_cells(("scratch", "solved_head"), ("all",), 1)
    progress = Progress(cells, {}, CLASSES)
    progress.report(cells[1], progress.timed(cells[1], lambda: make_result(0.75)))
    assert capsys.readouterr().out.endswith("; about 0 s left\n")
