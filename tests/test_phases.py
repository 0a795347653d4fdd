import math

import pytest

from tl_keras.errors import InputError
from tl_keras.phases import (
    MAX_EPOCHS,
    Phase,
    Plateau,
    check_phases,
    direction_of,
    is_better,
    phase_at,
    phase_seconds,
    total_epochs,
)

PHASES = [Phase("head", epochs=2), Phase("block2", epochs=3), Phase("all", epochs=1)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train": ""}, "empty `train`"),
        ({"train": []}, "empty `train`"),
        ({"epochs": 0}, "epochs=0"),
        ({"epochs": 2.5}, "epochs: got 2.5, expected int"),
        ({"learning_rate": 0.0}, "learning_rate=0.0"),
        ({"learning_rate": math.inf}, "learning_rate=inf"),
        ({"learning_rate": math.nan}, "learning_rate=nan"),
        ({"block_decay": 0.0}, "block_decay"),
        ({"block_decay": 1.1}, "block_decay"),
        ({"warmup": 1.0}, "warmup"),
        ({"warmup": -0.1}, "warmup"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"objective": "contrast"}, "did you mean 'contrastive'"),
        ({"objective": "contrastive"}, "got train='head', expected a list of blocks without the head"),
        ({"objective": "contrastive", "train": ["block1", "head"]}, "without the head"),
        ({"objective": "contrastive", "train": ["all"]}, "without the head"),
        ({"objective": "contrastive", "train": ["block1"], "until": Plateau("val_accuracy")}, "only the metrics loss"),
    ],
)
def test_an_invalid_phase_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Phase(**{"train": "head"} | values)


@pytest.mark.parametrize(
    ("train", "name"),
    [
        ("head", "head"),
        (["block1", "head"], "block1 + head"),
        (["block1", "block2", "block4", "head"], "block1 … head (4)"),
    ],
)
def test_the_name_lists_the_blocks(train, name):
    assert Phase(train).name == name


def test_a_contrastive_phase_names_the_blocks_before_the_head():
    phase = Phase(["block1", "block2"], objective="contrastive", until=Plateau())
    assert (phase.objective, phase.monitor) == ("contrastive", "val_loss")
    assert Phase("head").objective == "labels"


@pytest.mark.parametrize(("epoch", "expected"), [(0, (0, 0)), (1, (0, 0)), (2, (1, 2)), (4, (1, 2)), (5, (2, 5))])
def test_phase_at_depends_on_the_epoch(epoch, expected):
    assert phase_at(PHASES, epoch) == expected


def test_an_epoch_after_the_last_phase_is_refused():
    assert total_epochs(PHASES) == 6
    with pytest.raises(InputError, match="end before epoch 6"):
        phase_at(PHASES, 6)


def test_an_empty_list_of_phases_is_refused():
    check_phases(PHASES)
    with pytest.raises(InputError, match="empty list of phases"):
        check_phases([])


@pytest.mark.parametrize(
    ("schedule", "position", "share"),
    [
        ("cosine", 0.0, 0.0),
        ("cosine", 0.1, 0.5),
        ("cosine", 0.2, 1.0),
        ("cosine", 0.6, 0.5),
        ("cosine", 1.0, 0.0),
        ("cosine", 1.5, 0.0),
        ("constant", 0.1, 0.5),
        ("constant", 0.2, 1.0),
        ("constant", 1.0, 1.0),
    ],
)
def test_the_rate_rises_to_its_peak_and_follows_the_schedule(schedule, position, share):
    phase = Phase("head", learning_rate=4e-3, schedule=schedule, warmup=0.2)
    assert phase.learning_rate_at(position) == pytest.approx(4e-3 * share, abs=1e-12)


def test_without_warmup_the_rate_starts_at_its_peak():
    assert Phase("head", learning_rate=1e-2, warmup=0.0).learning_rate_at(0.0) == 1e-2


def test_one_cycle_rises_from_a_25th_and_falls_to_zero():
    phase = Phase("head", learning_rate=1.0, schedule="one_cycle")
    assert phase.warmup == 0.3
    assert phase.learning_rate_at(0.0) == pytest.approx(0.04)
    assert phase.learning_rate_at(0.15) == pytest.approx(0.52)
    assert phase.learning_rate_at(0.3) == pytest.approx(1.0)
    assert phase.learning_rate_at(1.0) == pytest.approx(0.0)


def test_a_phase_until_a_plateau_has_a_constant_rate_and_many_epochs():
    phase = Phase("head", until=Plateau("val_accuracy"))
    assert (phase.epochs, phase.schedule, phase.monitor) == (MAX_EPOCHS, "constant", "val_accuracy")
    assert (Phase("head").epochs, Phase("head").monitor) == (1, "val_loss")
    assert Phase("head", until=Plateau(), epochs=5, schedule="cosine").epochs == 5


@pytest.mark.parametrize(
    ("values", "message"),
    [({"patience": 0}, "patience=0"), ({"min_delta": -1.0}, "min_delta"), ({"patience": 1.5}, "1.5")],
)
def test_an_invalid_plateau_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Plateau(**values)


@pytest.mark.parametrize(("epoch", "expected"), [(0, (0, 0)), (1, (1, 1)), (3, (1, 1)), (4, (2, 4))])
def test_phases_that_ended_early_are_skipped(epoch, expected):
    assert phase_at(PHASES, epoch, ends=[1]) == expected


@pytest.mark.parametrize(
    ("mode", "value", "best", "expected"),
    [
        ("min", 1.0, None, True),
        ("min", math.nan, None, False),
        ("min", 0.8, 1.0, True),
        ("min", 0.95, 1.0, False),
        ("max", 0.95, 1.0, False),
        ("max", 1.2, 1.0, True),
        ("min", math.nan, 1.0, False),
    ],
)
def test_better_is_lower_or_higher_by_the_mode(mode, value, best, expected):
    assert is_better(mode, value, best, min_delta=0.1) is expected


@pytest.mark.parametrize(
    ("mode", "metrics"),
    [
        ("min", "loss val_loss val_mae val_mse mean_absolute_error mape val_perplexity categorical_crossentropy rmse"),
        ("min", "mean_squared_logarithmic_error kl_divergence val_binary_crossentropy categorical_hinge"),
        ("max", "accuracy val_accuracy acc top_5_accuracy auc auc_1 precision_2 val_recall f1_score mean_io_u_iou r2"),
        ("max", "average_precision_50 cosine_similarity mean_average_precision macro_f1"),
        (None, "speed val_temperature"),
    ],
)
def test_the_name_of_a_metric_tells_its_direction(mode, metrics):
    assert {direction_of(metric) for metric in metrics.split()} == {mode}


def test_an_unknown_mode_is_refused():
    with pytest.raises(InputError, match="mode"):
        Plateau("val_loss", mode="lower")


def test_the_remaining_time_is_divided_by_epochs():
    assert [phase_seconds(PHASES, index, 60.0) for index in range(3)] == [20.0, 45.0, 60.0]
