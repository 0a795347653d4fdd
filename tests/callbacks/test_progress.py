import keras
import numpy as np
import pytest

from tl_keras.callbacks.progress import ProgressLines, phase_table, shown_figures
from tl_keras.phases import Phase, Plateau
from tl_keras.runs.run_folder import RunFolder
from tl_keras.transfer.plan import plan_phases
from tl_keras.transfer.staged_adamw import StagedAdamW
from tl_keras.transfer.unfreezing import ProgressiveUnfreezing

PHASES = [Phase("head", epochs=2, learning_rate=1e-3), Phase("all", learning_rate=4e-4, block_decay=0.5)]


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((3,)), dense(300, name="block1.dense"), dense(1, name="head.output")])
    model.compile(StagedAdamW(), "mse")
    return model


def fit(model, run, phases=PHASES, **options):
    unfreezing = ProgressiveUnfreezing(phases)
    x = np.random.default_rng(0).normal(size=(8, 3))
    callbacks = [unfreezing, ProgressLines(unfreezing, run)]
    model.fit(x, x.sum(1), callbacks=callbacks, verbose=0, validation_split=0.5, epochs=3, **options)


def test_parts_of_the_loss_are_shown_if_there_are_few_figures_only():
    few = ["accuracy", "domain_loss", "loss", "val_accuracy", "val_loss"]
    assert shown_figures(few) == few
    parts = ["box_loss", "class_loss", "loss"]
    assert shown_figures([*parts, *(f"val_{name}" for name in parts)]) == ["loss", "val_loss"]


def test_the_table_has_one_line_per_phase(model):
    unfreezing = ProgressiveUnfreezing(PHASES)
    unfreezing.prepare(model)
    assert phase_table(unfreezing.plan).splitlines() == [
        "phase  trainable blocks   learning rate    epochs  trainable parameters",
        "1      head               0.001            2       301 of 1,501 (20.1%)",
        "2      block1 … head (2)  0.0002 … 0.0004  1       1,501 of 1,501 (100.0%)",
    ]


def test_the_table_shows_lists_and_patterns_unchanged(model):
    phases = [Phase(["block1", "head"]), Phase("regex:bias$"), Phase(["head"]), Phase("block1")]
    lines = phase_table(plan_phases(model, phases)).splitlines()[1:]
    cells = ["block1 + head", "regex:bias$", "head", "block1 … head (2)"]
    assert [line[7:26].strip() for line in lines] == cells


def test_one_line_per_epoch_and_the_audit_of_each_phase(model, tmp_path, capsys):
    fit(model, RunFolder(tmp_path))
    output, errors = capsys.readouterr()
    lines = output.splitlines()
    assert [line.split("  loss")[0] for line in lines] == [
        "phase 1/2, training: head",
        "  epoch 1/3",
        "  epoch 2/3",
        "  audit: 2 frozen variables bit-identical, 2 moved",
        "phase 2/2, training: block1, head",
        "  epoch 3/3",
        "  audit: 0 frozen variables bit-identical, 4 moved",
    ]
    assert "val_loss" in lines[1]
    assert errors == ""


@pytest.mark.parametrize(
    ("seconds", "max_seconds", "place", "line"),
    [
        (15, None, 1, "about 40 min left at this speed (158 epochs)"),
        (30, None, 0, "about 80 min left at this speed (159 epochs)"),
        (15, 600, 1, "about 40 min left at this speed (158 epochs), but max_time ends the training in about 10 min"),
        (0.1, None, None, ""),
    ],
)
def test_the_time_that_is_left_is_estimated_once(monkeypatch, tmp_path, capsys, seconds, max_seconds, place, line):
    unfreezing = ProgressiveUnfreezing([Phase("head", epochs=100), Phase("all", epochs=60)], max_seconds=max_seconds)
    progress = ProgressLines(unfreezing, RunFolder(tmp_path))
    progress.on_train_begin()
    # The first of ten steps took as long as the others.
    progress._steps, printed = [(0, 100.0), (9, 100.0 + 0.9 * seconds)], []
    for epoch in range(4):
        progress._estimate(epoch, seconds)
        printed.append(capsys.readouterr().out.strip().replace("1 h 20 min", "80 min"))
    assert printed == [line if epoch == place else "" for epoch in range(4)]


def test_the_time_to_build_the_first_step_is_no_part_of_an_estimate(tmp_path, capsys):
    unfreezing = ProgressiveUnfreezing([Phase("head", epochs=100)])
    progress = ProgressLines(unfreezing, RunFolder(tmp_path))
    progress.on_train_begin()
    for steps in ([(0, 100.0), (9, 100.5)], [(0, 100.0)]):
        progress._timed, progress._estimated, progress._steps = 0, False, steps
        progress._estimate(0, 27.4)
        progress._estimate(1, 0.4)
        assert capsys.readouterr().out == ""


def test_the_estimate_follows_the_line_of_its_epoch(model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tl_keras.callbacks.progress.SHORT_TIME", 0)
    fit(model, RunFolder(tmp_path))
    lines = capsys.readouterr().out.splitlines()
    place = next(number for number, line in enumerate(lines) if "left at this speed (1 epoch)" in line)
    assert lines[place - 2].startswith("  epoch 2/3") and sum("left at this speed" in line for line in lines) == 1


def test_a_block_that_did_not_move_is_a_warning_below_the_audit(model, tmp_path, capsys):
    with pytest.warns(UserWarning, match="'head' is trainable"):
        fit(model, RunFolder(tmp_path), phases=[Phase("regex:head.*kernel$", epochs=3, learning_rate=1e-30)])
    *_, audit, warning = capsys.readouterr().out.splitlines()
    assert audit.startswith("  audit: ")
    assert warning.startswith("  warning: Block 'head' is trainable in phase ")


def test_the_best_epoch_is_printed_and_logged(model, tmp_path, capsys):
    phase = Phase("head", epochs=3, learning_rate=1e-2, restore_best=True, until=Plateau("val_loss", mode="max"))
    fit(model, RunFolder(tmp_path), phases=[phase])
    assert "  restored the weights of epoch 1, the best one" in capsys.readouterr().out
    [line] = RunFolder(tmp_path).read_log("phase")
    assert line["best_epoch"] == 0


def test_a_validation_that_compared_nothing_has_no_loss(model, tmp_path, capsys):
    unfreezing = ProgressiveUnfreezing([Phase(["block1"], objective="contrastive")])
    unfreezing.prepare(model)
    lines = ProgressLines(unfreezing, RunFolder(tmp_path))
    lines.set_params({"steps": 1})
    lines.set_model(model)
    for val_loss, shown in ((0.0, "  loss 0.500  0"), (0.25, "  loss 0.500  val_loss 0.250  0")):
        lines.on_train_begin()
        lines.on_epoch_begin(0)
        lines.on_epoch_end(0, {"loss": 0.5, "val_loss": val_loss})
        assert f"  epoch 1/1{shown}" in capsys.readouterr().out
    assert ["val_loss" in line for line in RunFolder(tmp_path).read_log("epoch")] == [False, True]


def test_the_log_has_each_epoch_and_each_phase(model, tmp_path):
    run = RunFolder(tmp_path)
    fit(model, run)
    epochs, phases = run.read_log("epoch"), run.read_log("phase")
    assert [line["epoch"] for line in epochs] == [1, 2, 3]
    assert all({"loss", "val_loss", "seconds"} <= line.keys() for line in epochs)
    assert 0 < epochs[0]["learning_rate"] < 1e-3
    assert [(line["name"], line["first_epoch"], line["epochs"]) for line in phases] == [("head", 0, 2), ("all", 2, 1)]
    assert [line["audit"] for line in phases] == [{"frozen": 2, "moved": 2}, {"frozen": 0, "moved": 4}]


def test_a_resumed_run_prints_its_phase(model, tmp_path, capsys):
    fit(model, RunFolder(tmp_path), initial_epoch=2)
    assert capsys.readouterr().out.splitlines()[0] == "phase 2/2, training: block1, head"
