from dataclasses import replace

import pytest

import tl_keras as tl
from tests.models.small_backbone import BLOCKS
from tl_keras import train
from tl_keras.config.parsing import parse
from tl_keras.phases import Phase
from tl_keras.tasks.registry import TASKS
from tl_keras.training.building import build_model, choose_phases, with_best_epochs


def test_lora_needs_dense_layers(image_folder, tmp_path):
    with pytest.raises(tl.InputError, match="ConvNeXt|convnext"):
        train.main(["--data.path", str(image_folder), "--run", str(tmp_path / "run"), "--model.lora_rank", "4"])


@pytest.fixture
def model(image_folder, small_network):
    config = parse(["--data.path", str(image_folder), "--data.image_size", "32"])
    return build_model(config, TASKS[config.task].load_data(config))


def test_the_model_is_compiled_and_its_classes_are_those_of_the_data(model):
    assert model.output_shape == (None, 3) and isinstance(model.optimizer, tl.StagedAdamW)
    assert tl.block_names(model) == [*BLOCKS, "head"]


def test_phases_written_by_hand_are_taken_as_they_are(model):
    config = parse(["--phases", "[{train: top, epochs: 2}]"])
    assert choose_phases(config, model, 24) == [Phase("top", epochs=2)]


def test_patience_ends_the_phases_of_a_recipe_at_their_best_epoch(model):
    flags = ["--recipe", "progressive_unfreezing"]
    plain, patient = (choose_phases(parse([*flags, *more]), model, 240) for more in ([], ["--patience", "2"]))
    assert patient == [replace(phase, until=tl.Plateau("val_loss", 2)) for phase in plain]
    assert [phase.schedule for phase in patient] == ["cosine"] * len(plain)


RECIPE, EMA = ["--recipe", "fine_tuning"], ["--optimizer.ema_momentum", "0.9"]
MIXED = ["--phases", "[{train: head}, {train: top, restore_best: false}]"]
DETECTION = ["--task", "object_detection", "--data.path", "boxed_emoji"]


@pytest.mark.parametrize(
    ("flags", "num_validation", "expected"),
    [
        (RECIPE, 9, [False, True]),
        ([*RECIPE, "--restore_best", "false"], 9, [False, False]),
        ([*RECIPE, "--restore_best", "true"], 0, [False, True]),
        (RECIPE, 0, [False, False]),
        ([*RECIPE, *EMA], 9, [False, False]),
        (MIXED, 9, [True, False]),
        (DETECTION, 9, [False, False]),
        ([*RECIPE, "--batch_norm", "train"], 9, [False, False]),
    ],
    ids=["default", "last", "best", "no validation", "averages", "by hand", "detector", "batch_norm train"],
)
def test_phases_end_at_their_best_epoch_where_the_validation_loss_ranks_epochs(flags, num_validation, expected, model):
    config = parse(flags)
    contrastive = Phase(["top"], objective="contrastive")
    choice = config.restore_best
    phases = config.phases or [contrastive, Phase("head", restore_best=choice)]
    assert [phase.restore_best for phase in with_best_epochs(config, phases, num_validation)] == expected


def test_more_devices_take_fewer_steps_an_epoch_and_so_more_epochs(model):
    config = parse(["--data.batch_size", "8", "--recipe", "feature_extraction"])
    [alone], [together] = (choose_phases(config, model, 240, replicas) for replicas in (1, 4))
    assert (alone.epochs, together.epochs) == (4, 15)
    [large] = choose_phases(parse(["--data.batch_size", "32", "--recipe", "feature_extraction"]), model, 240)
    assert large == together
