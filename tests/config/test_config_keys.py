import pytest

from tl_keras.config import check_keys, flag_names
from tl_keras.errors import InputError


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"dta": {}}, "Unknown configuration key 'dta': did you mean 'data'"),
        ({"data": {"batchsize": 3}}, "'data.batchsize': did you mean 'data.batch_size'"),
        ({"phases": [{"train": "head"}, {"epoch": 3}]}, "did you mean 'phases\\[2\\].epochs'"),
        ({1: 2}, "Unknown configuration key '1'"),
        ({"data": None}, "data must be a mapping of keys to values: got None"),
        ({"phases": ["head"]}, "phases\\[1\\] must be a mapping of keys to values: got 'head'"),
        ([1], "The configuration must be a mapping"),
        (None, "The configuration must be a mapping"),
    ],
)
def test_unknown_keys_are_refused_at_every_depth(mapping, message):
    with pytest.raises(InputError, match=message):
        check_keys(mapping)


@pytest.mark.parametrize(
    "mapping", [{}, {"data": {"path": "x"}, "phases": [{"train": "head"}]}, {"phases": None}, {"epochs": "x"}]
)
def test_known_keys_are_accepted_with_any_values(mapping):
    check_keys(mapping)


def test_every_field_has_a_flag():
    flags = flag_names()
    assert {"--task", "--data", "--data.batch_size", "--model.backbone", "--phases", "--run"} <= set(flags)
    assert len(flags) == len(set(flags))


@pytest.mark.parametrize(
    "phases",
    [
        "evil.Class",
        "[{train: head, until: {class_path: evil.Class}}]",
        {"class_path": "evil.Class"},
        ["evil.Class"],
        [{"class_path": "evil.Class"}],
        [{"train": "head", "until": "evil.Class"}],
        [{"train": "head", "until": {"class_path": "evil.Class", "init_args": {}}}],
    ],
)
def test_the_name_of_a_class_is_refused_in_place_of_phases(phases):
    with pytest.raises(InputError, match="expected a list|must be a mapping|Unknown configuration key"):
        check_keys({"phases": phases})
