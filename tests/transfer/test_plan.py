import json

import pytest

from tests.transfer.tiny_models import blocks_model, sequential_model
from tl_keras.errors import InputError
from tl_keras.phases import Phase, Plateau
from tl_keras.transfer.plan import (
    find_epoch_mismatch,
    find_warnings,
    plan_phases,
    untouched_variables,
    variables_of_all_phases,
)

PHASES = [Phase("head", epochs=2), Phase("block2", epochs=3, learning_rate=1e-2, block_decay=0.5), Phase(["block1"])]
HEAD = ["head.logits/kernel", "head.logits/bias"]


def test_the_plan_lists_the_blocks_of_each_phase():
    assert plan_phases(blocks_model(), PHASES) == [
        {
            "name": "head",
            "blocks": ["head"],
            "learning_rates": {"head": 1e-3},
            "trainable_parameters": 10,
            "total_parameters": 36 + 16 + 144 + 16 + 10,
            "first_epoch": 0,
            "epochs": 2,
        },
        {
            "name": "block2",
            "blocks": ["block2", "head"],
            "learning_rates": {"block2": 5e-3, "head": 1e-2},
            "trainable_parameters": 144 + 10,
            "total_parameters": 222,
            "first_epoch": 2,
            "epochs": 3,
        },
        {
            "name": "block1",
            "blocks": ["block1"],
            "learning_rates": {"block1": 1e-3},
            "trainable_parameters": 36,
            "total_parameters": 222,
            "first_epoch": 5,
            "epochs": 1,
        },
    ]


def test_the_plan_counts_trainable_batch_norm_and_is_json_serializable():
    plan = plan_phases(blocks_model(), PHASES, "train")
    assert [record["trainable_parameters"] for record in plan] == [10, 144 + 8 + 10, 36 + 8]
    assert json.loads(json.dumps(plan)) == plan


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        ([], "empty list of phases"),
        ([Phase("blok1")], "did you mean 'block1'"),
    ],
)
def test_phases_with_unknown_blocks_are_refused(phases, message):
    with pytest.raises(InputError, match=message):
        plan_phases(blocks_model(), phases)


@pytest.mark.parametrize("block", ["standardize", "norm"])
def test_a_phase_without_trainable_weights_is_refused(block):
    with pytest.raises(InputError, match=f"Phase '{block}' trains nothing"):
        plan_phases(sequential_model(), [Phase([block])])


@pytest.mark.parametrize(
    ("phases", "batch_norm", "paths"),
    [
        ([Phase("head")], "train", HEAD),
        (
            [Phase("head"), Phase(["block1"])],
            "inference",
            ["block1.conv/kernel", "head.logits/kernel", "head.logits/bias"],
        ),
        ([Phase(["block1"])], "train", ["block1.conv/kernel", "block1.norm/gamma", "block1.norm/beta"]),
    ],
)
def test_variables_of_all_phases_are_the_union_in_model_order(phases, batch_norm, paths):
    assert [variable.path for variable in variables_of_all_phases(blocks_model(), phases, batch_norm)] == paths


@pytest.mark.parametrize(
    ("phases", "sentences"),
    [
        (PHASES[:2], []),
        ([Phase("head"), Phase(["head"])], ["phases 1 and 2 train the same blocks: head"]),
        ([Phase(["block1", "head"])], ["never trained, though the earlier block1 is: block2"]),
        ([Phase(["head", "head"])], ["phase 1 names head 2 times"]),
        (
            [Phase("all", block_decay=1e-6)],
            ["phase 1 hardly moves block1 to block2: block_decay leaves 2 blocks less than 1e-05 of its rate"],
        ),
    ],
)
def test_probable_mistakes_cause_warnings(phases, sentences):
    model = blocks_model()
    assert find_warnings(model, phases, plan_phases(model, phases)) == sentences


def test_an_ended_phase_counts_the_epochs_it_trained():
    plan = plan_phases(blocks_model(), PHASES, ends=[1])
    assert [(record["first_epoch"], record["epochs"]) for record in plan] == [(0, 1), (1, 3), (4, 1)]


@pytest.mark.parametrize(("batch_norm", "count"), [("inference", 10), ("recalibrate", 6), ("train", 10)])
def test_untouched_variables_are_listed_for_each_phase(batch_norm, count):
    head, everything = untouched_variables(blocks_model(), [Phase("head"), Phase("all")], batch_norm)
    assert len(head) == count
    assert not any(variable.path.startswith("head") for variable in head)
    assert {id(variable) for variable in everything} < {id(variable) for variable in head}


@pytest.mark.parametrize(
    ("epochs", "end"),
    [(3, []), (None, []), (9, ["it stops after the last phase."]), (2, ["call fit again with initial_epoch=2."])],
)
def test_a_fit_with_other_epochs_than_its_phases_is_described(epochs, end):
    sentences = find_epoch_mismatch([Phase("head", epochs=2), Phase("all")], epochs)
    assert [sentence.endswith(words) for sentence, words in zip(sentences, end, strict=True)] == [True] * len(end)


def test_phases_that_may_end_early_may_have_more_epochs_than_fit():
    assert find_epoch_mismatch([Phase("head", until=Plateau())], 10) == []
