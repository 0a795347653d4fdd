import hashlib

import ml_dtypes
import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.transfer.activations.key import activation_key, digest_arrays, digest_files, file_digest

PARTS = {"cut": "block5", "size": (160, 160), "weights": np.arange(6.0), "scale": np.float32(0.5), "file": b"\x00"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cut", "block4"),
        ("size", [160, 161]),
        ("weights", np.arange(6.0)[::-1]),
        ("weights", np.arange(6.0, dtype="float32")),
        ("weights", np.arange(6.0).reshape(2, 3)),
        ("scale", 0.25),
        ("file", b"\x01"),
        ("file", "\x00"),
        ("new", None),
    ],
)
def test_every_part_changes_the_key(name, value):
    assert activation_key({**PARTS, name: value}) != activation_key(PARTS)


def test_order_and_container_type_do_not_change_the_key():
    other = {**dict(reversed(PARTS.items())), "size": [160, 160], "scale": 0.5}
    assert activation_key(other) == activation_key(PARTS)


def test_a_key_is_the_digest_of_canonical_json():
    # Other processes and later versions must find the same key.
    text = '{"a":"\\u00fc","b":[1,2.5,null]}'
    assert activation_key({"b": [1, 2.5, None], "a": "ü"}) == hashlib.sha256(text.encode()).hexdigest()


def test_parts_without_a_stable_text_are_refused():
    with pytest.raises(TypeError, match="Received a object"):
        activation_key({"layer": object()})


@pytest.mark.parametrize("dtype", ["float32", "float16", ml_dtypes.bfloat16, "uint8", "int32", "bool"])
def test_one_changed_value_changes_the_digest_of_arrays(dtype):
    arrays = [np.zeros((3, 4), dtype), np.zeros(0, dtype), np.zeros((), dtype)]
    changed = [array.copy() for array in arrays]
    changed[0][2, 3] = 1
    assert digest_arrays(arrays) == digest_arrays(iter(arrays))
    assert len({digest_arrays(arrays), digest_arrays(changed), digest_arrays(arrays[::-1])}) == 3


def test_a_view_has_the_digest_of_its_values():
    array = np.arange(24).reshape(4, 6)
    assert digest_arrays([array[::2, 1:3].T]) == digest_arrays([array[::2, 1:3].T.copy()])


def test_the_digest_of_files_depends_on_content_and_order(tmp_path):
    paths = [tmp_path / "a", str(tmp_path / "b")]
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    digest = digest_files(paths)
    assert digest == digest_files([b"1", b"2"]) == digest_files(iter(paths))
    assert digest != digest_files(paths[::-1])
    assert digest_files([b"12"]) != digest_files([b"1", b"2"])
    (tmp_path / "b").write_bytes(b"3")
    assert digest_files(paths) != digest


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="gone.png' can no longer be read"):
        digest_files([tmp_path / "gone.png"])


def test_a_file_and_its_content_have_one_digest(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    assert file_digest(tmp_path / "a") == file_digest(b"1") == hashlib.sha256(b"1").digest()
