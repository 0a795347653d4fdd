import zipfile

import h5py
import keras
import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.models.weights.files import find_weight_file, open_layers, read_class_names


def model():
    image = keras.Input((8, 8, 3))
    outputs = keras.layers.Conv2D(4, 3, name="block1.conv")(image)
    outputs = keras.layers.BatchNormalization(name="block1.bn")(outputs)
    outputs = keras.layers.Reshape((-1, 4))(outputs)
    outputs = keras.layers.MultiHeadAttention(2, 2, name="block2.attention")(outputs, outputs)
    return keras.Model(image, keras.Sequential([keras.layers.Dense(2, name="inner")], name="nested")(outputs))


def write(folder, suffix):
    """Saves a model in one of the three formats."""
    network, path = model(), folder / f"file{suffix}"
    for variable in network.weights:
        variable.assign(np.random.default_rng(variable.shape[0]).normal(size=variable.shape))
    (network.save_weights if suffix == ".weights.h5" else network.save)(path)
    return network, path


FORMATS = pytest.mark.parametrize("suffix", [".keras", ".weights.h5", pytest.param(".h5", id="legacy")])


@FORMATS
@pytest.mark.filterwarnings("ignore")
def test_every_format_contains_layers_by_name_with_their_variables(tmp_path, suffix):
    network, path = write(tmp_path, suffix)
    with open_layers(path) as layers:
        arrays = {layer.name: layer.read() for layer in layers}
    parts = [f"block2.attention/{part}" for part in ("query", "key", "value", "attention_output")]
    assert set(arrays) == {"block1.conv", "block1.bn", "nested/inner", *parts}
    expected = {name: network.get_layer(name).get_weights() for name in ("block1.conv", "block1.bn", "nested")}
    for name, values in expected.items():
        for array, value in zip(arrays.get(name, arrays["nested/inner"]), values, strict=True):
            np.testing.assert_array_equal(array, value)
    np.testing.assert_array_equal(arrays[parts[0]][0], network.get_layer("block2.attention").get_weights()[0])


def test_bfloat16_is_read_as_float32(tmp_path):
    layer = keras.layers.Dense(3, dtype="bfloat16", name="dense")
    network = keras.Sequential([keras.Input((2,)), layer])
    network.save(tmp_path / "file.keras")
    with open_layers(tmp_path / "file.keras") as layers:
        [kernel, _] = next(layer.read() for layer in layers if layer.name == "dense")
    assert kernel.dtype == "float32"
    np.testing.assert_array_equal(kernel, np.asarray(layer.kernel, "float32"))


def test_layers_of_one_class_are_in_the_order_of_keras(tmp_path):
    image = keras.Input((1,))
    outputs = image
    for number in range(12):
        outputs = keras.layers.Dense(1, name=f"layer_{number}")(outputs)
    keras.Model(image, outputs).save_weights(tmp_path / "file.weights.h5")
    with open_layers(tmp_path / "file.weights.h5") as layers:
        assert [layer.name for layer in layers] == [f"layer_{number}" for number in range(12)]
        assert {layer.kind for layer in layers} == {"dense"}


@FORMATS
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("length", [0, 1000])
def test_a_truncated_file_is_refused(tmp_path, suffix, length):
    _, path = write(tmp_path, suffix)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match="Cannot read the weights"), open_layers(path):
        pass


def test_damage_inside_a_keras_file_is_detected(tmp_path):
    _, path = write(tmp_path, ".keras")
    content = bytearray(path.read_bytes())
    content[len(content) * 3 // 4] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="Cannot read the weights"), open_layers(path):
        pass


def test_a_file_without_layers_is_refused(tmp_path):
    h5py.File(tmp_path / "file.h5", "w").close()
    with pytest.raises(InputError, match="no layers"), open_layers(tmp_path / "file.h5"):
        pass


@pytest.mark.parametrize("way", ["external link", "soft link", "external data"])
def test_a_file_that_refers_to_other_files_is_refused(tmp_path, way):
    (tmp_path / "secret").write_bytes(bytes(16))
    with h5py.File(tmp_path / "file.weights.h5", "w") as file:
        variables = file.create_group("layers/dense/vars")
        variables.attrs["name"] = "dense"
        if way == "external link":
            variables["0"] = h5py.ExternalLink(str(tmp_path / "secret"), "/")
        elif way == "soft link":
            variables["0"] = h5py.SoftLink("/layers")
        else:
            variables.create_dataset("0", (4,), "f4", external=[(str(tmp_path / "secret"), 0, 16)])
    with pytest.raises(InputError, match="is a link|another file"), open_layers(tmp_path / "file.weights.h5"):
        pass


def test_a_folder_is_resolved_to_its_only_file_or_its_model(tmp_path):
    (tmp_path / "notes.txt").touch()
    (tmp_path / "a.weights.h5").touch()
    assert find_weight_file(tmp_path).name == "a.weights.h5"
    (tmp_path / "b.h5").touch()
    with pytest.raises(InputError, match="found 2: a.weights.h5, b.h5"):
        find_weight_file(tmp_path)
    (tmp_path / "model.keras").touch()
    assert find_weight_file(str(tmp_path)).name == "model.keras"


@pytest.mark.parametrize("name", ["", "missing.h5", "notes.txt"])
def test_other_files_are_refused(tmp_path, name):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="No weights at|found none"):
        find_weight_file(tmp_path / name)


def test_a_file_without_class_names_returns_none(tmp_path):
    assert read_class_names(write(tmp_path, ".keras")[1]) is None
    assert read_class_names(write(tmp_path, ".weights.h5")[1]) is None


@pytest.mark.parametrize(
    "content",
    ["{}", "[]", "[1]", "null", '"ab"', '[["a"]]', "[", "[" * 100_000, '["a", "a"]', '["", "a"]', '["\\ud800"]'],
)
def test_invalid_class_names_are_refused(tmp_path, content):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("class_names.json", content)
    with pytest.raises(InputError, match="Cannot read the weights"):
        read_class_names(tmp_path / "model.keras")


def test_an_array_that_declares_gigabytes_without_data_is_refused(tmp_path):
    with h5py.File(tmp_path / "file.weights.h5", "w") as file:
        variables = file.create_group("layers/dense/vars")
        variables.attrs["name"] = "dense"
        variables.create_dataset("0", (3_000_000_000,), "f4")
    with pytest.raises(InputError, match="claims 12,000,000,000 bytes"), open_layers(tmp_path / "file.weights.h5"):
        pass


def test_a_legacy_file_that_lists_a_layer_again_and_again_is_refused(tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file.attrs["layer_names"] = np.array([b"x"] * 60_000)
        file.create_group("x").attrs["weight_names"] = np.array([b"y"] * 60_000)[:0]
    with pytest.raises(InputError, match="it lists 'x' twice"), open_layers(tmp_path / "file.h5"):
        pass


def test_a_legacy_file_that_lists_a_weight_again_and_again_is_refused(tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file.attrs["layer_names"] = ["dense"]
        file["dense/kernel"] = np.zeros(3, "float32")
        file["dense"].attrs["weight_names"] = np.array([b"kernel"] * 5_000)
    with pytest.raises(InputError, match="it lists 'kernel' twice"), open_layers(tmp_path / "file.h5"):
        pass
