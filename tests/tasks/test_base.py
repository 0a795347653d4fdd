from types import SimpleNamespace

import pytest

from tl_keras.config import DataConfig, RunConfig
from tl_keras.errors import InputError
from tl_keras.tasks.base import Task, global_batch_size, parts_of, print_notes

SPLITS = SimpleNamespace(train="abcd", validation="ef", test="gh", class_names=("x", "y"))


class Letters(Task):
    """Counts letters, and does nothing else."""

    name = "letters"

    def content(self, name, part):
        yield f"{name}={part}".encode()


Letters.__abstractmethods__ = frozenset()


def test_a_task_must_define_what_has_no_default():
    with pytest.raises(TypeError, match="abstract methods? .*build_model.*training_inputs"):
        type("Nothing", (Task,), {})()


def test_a_fingerprint_holds_counts_and_a_digest_of_names_and_content():
    task = Letters()
    fingerprint = task.fingerprint(SPLITS)
    assert {name: fingerprint[name] for name in ("training", "validation", "test", "classes")} == {
        "training": 4,
        "validation": 2,
        "test": 2,
        "classes": 2,
    }
    for change in ({"train": "abcx"}, {"class_names": ("y", "x")}, {"validation": "gh", "test": "ef"}):
        other = task.fingerprint(SimpleNamespace(**vars(SPLITS) | change))
        assert other["sha256"] != fingerprint["sha256"]


def test_parts_go_by_the_names_of_messages():
    assert list(parts_of(SPLITS)) == ["training", "validation", "test"]
    assert Letters().list_counts(SPLITS) == "4 training, 2 validation, 2 test"


def test_a_step_is_over_the_batches_of_all_devices():
    assert global_batch_size(RunConfig(data=DataConfig(batch_size=8)), 4) == 32


def test_notes_are_printed_a_line_each(capsys):
    print_notes(["One.", "Two."])
    assert capsys.readouterr().out == "note: One.\nnote: Two.\n"


def test_a_task_that_cannot_be_adapted_says_so():
    with pytest.raises(NotImplementedError, match="letters cannot be adapted"):
        Letters().find_target(None, ())


def test_a_task_without_explanations_says_so_in_one_sentence():
    with pytest.raises(InputError, match="A run of letters cannot be explained"):
        Letters().explain(None, None, [], (), None)


@pytest.mark.parametrize(
    ("multi_label", "gives", "expected"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_an_example_has_one_class_where_probabilities_exclude_each_other(multi_label, gives, expected, monkeypatch):
    monkeypatch.setattr(Letters, "gives_probabilities", gives)
    assert Letters().has_one_class(RunConfig(data=DataConfig(path="x", multi_label=multi_label))) == expected
