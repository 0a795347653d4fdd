import keras
import numpy as np

from tl_keras.training.variable_files import assign_values, read_values, variable_values, write_values


def build():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dropout(0.5, seed=1)])


def test_all_variables_come_back_with_the_states_of_random_generators(tmp_path):
    model, other = build(), build()
    model(np.ones((2, 4)), training=True)
    values = variable_values(model)
    assert len(values) == len(model.get_weights()) + 1
    write_values(tmp_path / "new" / "values.npz", values, {"loss": 0.5})
    read, facts = read_values(tmp_path / "new" / "values.npz", len(values))
    assert facts == {"loss": 0.5}
    assign_values(other, read)
    for one, expected in zip(variable_values(other), values, strict=True):
        np.testing.assert_array_equal(one, expected)


def test_a_missing_or_damaged_file_gives_none(tmp_path, capsys):
    path = tmp_path / "values.npz"
    assert read_values(path, 1) is None and capsys.readouterr().out == ""
    write_values(path, [np.arange(3)], {})
    assert read_values(path, 2) is None
    path.write_bytes(path.read_bytes()[:40])
    assert read_values(path, 1) is None
    assert "is damaged: it is computed again" in capsys.readouterr().out
