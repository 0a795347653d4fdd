import pytest

from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.studies.comparison import trainers
from tl_keras.studies.comparison.comparing import compare
from tl_keras.studies.comparison.grid import GridSettings
from tl_keras.studies.comparison.progress import OutOfTime


@pytest.fixture
def config(image_folder):
    return parse(["--data.path", str(image_folder), "--data.image_size", "32", "--cache.mode", "off"])


@pytest.fixture
def trained(monkeypatch):
    """List of the cells that are trained, each in no time."""
    from tests.studies.comparison.comparisons import make_result

    cells = []

    def train(trainer, cell):
        cells.append(str(cell))
        return make_result(0.8, num_test=6)

    monkeypatch.setattr(trainers.Trainers, "train", train)
    return cells


GRID = GridSettings(("solved_head", "scratch"), ("3", "all"), 2)


def test_an_interrupted_comparison_is_resumed(config, trained, tmp_path, monkeypatch, capsys):
    train = trainers.Trainers.train

    def interrupted(trainer, cell):
        if len(trained) == 3:
            raise KeyboardInterrupt
        return train(trainer, cell)

    monkeypatch.setattr(trainers.Trainers, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare(config, GRID, tmp_path)
    assert "interrupted with 3 of 8 cells: the same command resumes" in capsys.readouterr().out
    monkeypatch.setattr(trainers.Trainers, "train", train)
    comparison = compare(config, GRID, tmp_path)
    assert "3 of 8 cells are finished already" in capsys.readouterr().out
    assert len(trained) == len(set(trained)) == 8 == len(comparison.results)
    assert comparison.notes == ()


def test_a_resumed_comparison_still_names_suspicious_labels(config, trained, tmp_path, monkeypatch):
    train = trainers.Trainers.train

    def judging(trainer, cell):
        trainer.suspicious = ["two are suspicious"] if cell.budget == "all" else []
        return train(trainer, cell)

    monkeypatch.setattr(trainers.Trainers, "train", judging)
    notes = [compare(config, GRID, tmp_path).notes for _ in range(2)]
    assert notes == [("two are suspicious",)] * 2 and len(trained) == 8


def test_cells_without_time_are_named_and_not_made_up(config, trained, tmp_path, monkeypatch):
    train = trainers.Trainers.train

    def without_time(trainer, cell):
        if cell.method == "scratch":
            raise OutOfTime
        return train(trainer, cell)

    monkeypatch.setattr(trainers.Trainers, "train", without_time)
    comparison = compare(config, GRID, tmp_path)
    assert comparison.reference is None and len(comparison.results) == 4
    assert comparison.notes[0] == (
        "max_time ended the comparison after 4 of 8 cells. Not measured: 4 cells of scratch. "
        "The same command with more time resumes it."
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--task", "object_detection", "--recipe", "fine_tuning"],
            "recipe is fine_tuning: leave it out, see --methods",
        ),
        (["--task", "object_detection", "--patience", "2"], "patience has no effect in compare"),
        (["--task", "object_detection", "--phases", "[{train: head}]"], "phases are set: .*--epochs replaces those"),
        (["--epochs", "3"], "recipe is progressive_unfreezing: leave it out, see --methods"),
        (["--data.multi_label", "true"], "one label per example"),
        (
            ["--model.weights", "none", "--recipe", "auto"],
            "compare needs pretrained weights: leave --model.weights none out",
        ),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(flags, message, image_folder, tmp_path):
    with pytest.raises(InputError, match=message):
        compare(parse(["--data.path", str(image_folder), *flags]), GRID, tmp_path)
