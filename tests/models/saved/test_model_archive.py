import zipfile

import keras
import pytest

from tl_keras.errors import InputError
from tl_keras.models.saved.model_archive import MAX_CONFIG_BYTES, read_archive
from tl_keras.models.saved.saving import save_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    inputs = keras.Input((2,))
    save_model(keras.Model(inputs, keras.layers.Dense(3, name="dense")(inputs)), path, class_names=["a", "b", "c"])
    return path


def test_the_configuration_and_the_bytes_of_the_arrays_are_read(saved):
    config, stored_bytes = read_archive(saved)
    assert [layer["class_name"] for layer in config["config"]["layers"]] == ["InputLayer", "Dense"]
    assert stored_bytes == (2 * 3 + 3) * 4


def test_a_configuration_of_many_megabytes_is_refused(saved, tmp_path):
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(tmp_path / "model.keras", "w") as new:
        for name in old.namelist():
            more = b" " * MAX_CONFIG_BYTES if name == "config.json" else b""
            new.writestr(name, old.read(name) + more)
    with pytest.raises(InputError, match="config.json has more than"):
        read_archive(tmp_path / "model.keras")


@pytest.mark.parametrize("member", ["metadata.json", "config.json", "class_names.json", "model.weights.h5"])
def test_a_flipped_bit_in_any_member_is_detected(saved, tmp_path, member):
    with zipfile.ZipFile(saved) as archive:
        content, name = archive.read(member), member.encode()
    data = bytearray(saved.read_bytes())
    data[data.index(content, data.index(name)) + len(content) // 2] ^= 1
    (tmp_path / "model.keras").write_bytes(data)
    with pytest.raises(InputError, match="Bad CRC-32"):
        read_archive(tmp_path / "model.keras")


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match="Only .keras files are opened as models"):
        read_archive(tmp_path / "model.h5")
