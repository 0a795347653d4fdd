from typing import get_args

import pytest

from tl_keras.errors import InputError
from tl_keras.phases import Phase, total_epochs
from tl_keras.recipes import (
    BLOCK_RATE,
    CONTRASTIVE_RATE,
    CONTRASTIVE_STEPS,
    HEAD_RATE,
    HEAD_STEPS,
    LORA_RATE,
    TEXT_HEAD_RATE,
    Technique,
    expand_recipe,
    unfreezing_depth,
)

BLOCKS = ["block1", "block2", "block3", "block4", "block5", "head"]


def trained(phases):
    return [phase.train for phase in phases]


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("feature_extraction", ["head"]),
        ("fine_tuning", ["block3"]),
        ("linear_probe_then_fine_tune", ["head", "block3"]),
        ("progressive_unfreezing", ["head", "block5", "block4", "block3"]),
        ("few_shot", [["block3", "block4", "block5"]]),
    ],
)
def test_each_recipe_unfreezes_its_blocks_in_order(recipe, expected):
    phases = expand_recipe(recipe, BLOCKS, 1000, unfreeze_from="block3")
    assert trained(phases) == expected
    assert all(isinstance(phase, Phase) for phase in phases)


@pytest.mark.parametrize(
    ("num_examples", "depth"), [(1, 1), (100, 1), (1000, 2), (10_000, 4), (100_000, 5), (10_000_000, 5)]
)
def test_more_data_unfreezes_more_blocks(num_examples, depth):
    assert unfreezing_depth(5, num_examples) == depth
    assert len(expand_recipe("progressive_unfreezing", BLOCKS, num_examples)) == depth + 1
    assert trained(expand_recipe("fine_tuning", BLOCKS, num_examples)) == [BLOCKS[5 - depth]]


@pytest.mark.parametrize(
    ("recipe", "unfreeze_from", "expected"),
    [
        ("linear_probe_then_fine_tune", None, ["head", "block1"]),
        ("fine_tuning", "all", ["block1"]),
        ("progressive_unfreezing", "all", ["head", *BLOCKS[-2::-1]]),
        ("few_shot", None, [BLOCKS[1:-1]]),
        ("few_shot", "all", [BLOCKS[:-1]]),
    ],
)
def test_the_whole_network_can_be_unfrozen(recipe, unfreeze_from, expected):
    assert trained(expand_recipe(recipe, BLOCKS, 10, unfreeze_from=unfreeze_from)) == expected


@pytest.mark.parametrize(("num_examples", "epochs"), [(1, 20), (32 * 20, HEAD_STEPS // 20), (10**6, 3)])
def test_epochs_follow_from_the_steps_within_3_to_20(num_examples, epochs):
    (head,) = expand_recipe("feature_extraction", BLOCKS, num_examples, batch_size=32)
    assert head.epochs == epochs


@pytest.mark.parametrize("recipe", get_args(Technique))
def test_a_head_alone_needs_no_backbone(recipe):
    assert trained(expand_recipe(recipe, ["dense"], 10)) == ["dense"]


@pytest.mark.parametrize("recipe", get_args(Technique))
def test_the_learning_rate_is_that_of_the_first_phase_and_scales_the_others(recipe):
    usual = expand_recipe(recipe, BLOCKS, 1000)
    scaled = expand_recipe(recipe, BLOCKS, 1000, learning_rate=0.5)
    assert scaled[0].learning_rate == 0.5
    shares = [phase.learning_rate / usual[0].learning_rate for phase in usual]
    assert [phase.learning_rate / 0.5 for phase in scaled] == pytest.approx(shares)


@pytest.mark.parametrize("head_rate", [HEAD_RATE, TEXT_HEAD_RATE])
@pytest.mark.parametrize(("lora", "block_rate"), [(False, BLOCK_RATE), (True, LORA_RATE)])
def test_a_head_and_lora_have_their_own_rates(head_rate, lora, block_rate):
    phases = expand_recipe("progressive_unfreezing", BLOCKS, 1000, head_rate=head_rate, lora=lora)
    assert phases[0].learning_rate == head_rate
    assert {phase.learning_rate for phase in phases[1:]} == {block_rate}


def test_few_shot_compares_examples_at_one_rate_for_all_blocks():
    (comparing,) = expand_recipe("few_shot", BLOCKS, 16)
    assert (comparing.objective, comparing.epochs, comparing.block_decay) == ("contrastive", 10, 1.0)
    assert comparing.learning_rate == CONTRASTIVE_RATE
    (longer,) = expand_recipe("few_shot", BLOCKS, 96, block_decay=0.5)
    assert (longer.epochs, longer.block_decay) == (CONTRASTIVE_STEPS / 3, 0.5)
    assert expand_recipe("few_shot", BLOCKS, 16, lora=True)[0].learning_rate == LORA_RATE
    (single,) = expand_recipe("few_shot", ["block1", "head"], 16)
    assert single.train == ["block1"], "a network of one block has no other to train"


def test_all_new_blocks_are_trained_from_the_first_phase_on():
    first, second = expand_recipe("linear_probe_then_fine_tune", [*BLOCKS, "neck", "boxes"], 1000, new_blocks=3)
    assert (first.train, second.train) == (BLOCKS[-1], BLOCKS[0])


def test_the_step_budget_factor_multiplies_steps_and_maximum_epochs():
    short, long = (expand_recipe("feature_extraction", BLOCKS, 1000, step_budget_factor=factor)[0] for factor in (1, 4))
    assert (long.epochs, short.epochs) == (round(4 * 120 / 32), round(120 / 32))
    assert expand_recipe("feature_extraction", BLOCKS, 8, step_budget_factor=4)[0].epochs == 80


@pytest.mark.parametrize(
    ("epochs", "shares"), [(4, [1, 1, 1, 1]), (5, [2, 1, 1, 1]), (7, [2, 2, 2, 1]), (8, [2] * 4), (23, [6, 6, 6, 5])]
)
def test_epochs_are_divided_evenly_among_equal_phases(epochs, shares):
    phases = expand_recipe("progressive_unfreezing", BLOCKS, 1, unfreeze_from="block3", epochs=epochs)
    assert [phase.epochs for phase in phases] == shares


@pytest.mark.parametrize("epochs", [6, 7, 11, 100])
def test_all_epochs_are_divided_and_each_phase_gets_some(epochs):
    phases = expand_recipe("progressive_unfreezing", BLOCKS, 1000, unfreeze_from="block1", epochs=epochs)
    assert total_epochs(phases) == epochs
    assert phases[0].epochs == max(phase.epochs for phase in phases) >= min(phase.epochs for phase in phases) >= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"recipe": "fine_tunning"}, "did you mean 'fine_tuning'"),
        ({"unfreeze_from": "block9"}, "Unknown unfreeze_from 'block9'"),
        ({"unfreeze_from": "head"}, "Unknown unfreeze_from 'head'"),
        (
            {"recipe": "linear_probe_then_fine_tune", "epochs": 1},
            "epochs=1 is too few for 2 phases.*give 2 or more, or --recipe feat",
        ),
    ],
)
def test_invalid_arguments_are_refused(arguments, message):
    arguments = {"recipe": "fine_tuning", "blocks": BLOCKS, "num_examples": 100} | arguments
    with pytest.raises(InputError, match=message):
        expand_recipe(**arguments)
