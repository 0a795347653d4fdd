import keras
import numpy as np
import pytest

from tl_keras.training.variable_files import assign_values, read_values, variable_values, write_values


def build():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dropout(0.5, seed=1)])


def test_all_variables_come_back_with_the_states_of_random_generators(tmp_path):
    model, other = build(), build()
    model(np.ones((2, 4)), training=True)
    values = variable_values(model)
    assert len(values) == len(model.get_weights()) + 1
    write_values(tmp_path / "new" / "values.npz", values, {"loss": 0.5})
    read, facts = read_values(tmp_path / "new" / "values.npz", values, ["loss"])
    assert facts == {"loss": 0.5}
    assign_values(other, read)
    for one, expected in zip(variable_values(other), values, strict=True):
        np.testing.assert_array_equal(one, expected)


LIKE = [np.arange(3, dtype="float32")]


def test_a_missing_or_damaged_file_gives_none(tmp_path, capsys):
    path = tmp_path / "values.npz"
    assert read_values(path, LIKE, []) is None and capsys.readouterr().out == ""
    write_values(path, LIKE, {})
    assert read_values(path, LIKE, [])[1] == {}
    assert read_values(path, LIKE * 2, []) is None
    path.write_bytes(path.read_bytes()[:40])
    assert read_values(path, LIKE, []) is None
    assert "is damaged: it is computed again" in capsys.readouterr().out


OTHER_VALUES = [np.zeros(4, "float32"), np.array(["a", "b", "c"]), np.zeros(3, complex), np.zeros(3)]
OTHER_FACTS = [5, "loss", ["loss"], {}, {"loss": None}, {"loss": "x"}, {"loss": True}, {"loss": 1, "more": 2}]


@pytest.mark.parametrize(
    ("values", "facts"), [(one, {"loss": 1}) for one in OTHER_VALUES] + [(LIKE[0], facts) for facts in OTHER_FACTS]
)
def test_values_of_another_model_and_facts_that_are_no_numbers_are_computed_again(tmp_path, values, facts, capsys):
    write_values(tmp_path / "values.npz", [values], facts)
    assert read_values(tmp_path / "values.npz", LIKE, ["loss"]) is None
    assert "is damaged" in capsys.readouterr().out


def test_facts_that_are_nested_without_end_are_computed_again(tmp_path):
    np.savez(tmp_path / "values.npz", **{"value-0": LIKE[0]}, facts=np.array("[" * 100_000))
    assert read_values(tmp_path / "values.npz", LIKE, ["loss"]) is None
