import numpy as np
import pytest
import safetensors.numpy

from tests.models.tiny_encoders import write_checkpoint
from tl_keras.models.texts.hugging_face import read_checkpoint_config, read_json
from tl_keras.models.texts.hugging_face_tensors import with_expected_tensors


def names_of(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_missing_pooler_is_added_as_zeros(tmp_path):
    write_checkpoint(tmp_path / "with")
    with with_expected_tensors(tmp_path / "with", read_checkpoint_config(tmp_path / "with")) as opened:
        assert opened == (tmp_path / "with", True)
    write_checkpoint(tmp_path / "without", pooler=False)
    before = names_of(tmp_path / "without")
    with with_expected_tensors(tmp_path / "without", read_checkpoint_config(tmp_path / "without")) as (
        folder,
        has_pooler,
    ):
        assert not has_pooler
        index = read_json(folder / "model.safetensors.index.json")["weight_map"]
        assert index["pooler.dense.weight"] == "added.safetensors" != index["embeddings.LayerNorm.weight"]
    assert names_of(tmp_path / "without") == before
    assert not folder.exists()


def read_all(folder):
    """Reads every tensor like KerasHub, by the index if there is one."""
    index = read_json(folder / "model.safetensors.index.json")
    files = set(index["weight_map"].values()) if index else ["model.safetensors"]
    tensors = {file: safetensors.numpy.load_file(folder / file) for file in files}
    if not index:
        return tensors["model.safetensors"]
    return {name: tensors[file][name] for name, file in index["weight_map"].items()}


@pytest.mark.parametrize("kind", ["distilbert", "roberta", "albert"])
def test_tensors_of_a_checkpoint_without_head_get_the_prefix_of_their_family(tmp_path, kind):
    values = {
        "embeddings.word_embeddings.weight": np.ones((3, 2), "float32"),
        "pooler.weight": np.ones((2, 2), "float32"),
    }
    safetensors.numpy.save_file(values, tmp_path / "model.safetensors")
    before = names_of(tmp_path)
    with with_expected_tensors(tmp_path, {"model_type": kind, "hidden_size": 2}) as (folder, has_pooler):
        fused = read_all(folder)
    assert has_pooler is (kind == "albert")
    assert names_of(tmp_path) == before
    for name, value in values.items():
        np.testing.assert_array_equal(fused[f"{kind}.{name}"], value)


def test_a_checkpoint_with_head_is_used_unchanged(tmp_path):
    values = {
        "distilbert.embeddings.word_embeddings.weight": np.ones(3, "float32"),
        "classifier.bias": np.ones(2, "float32"),
    }
    safetensors.numpy.save_file(values, tmp_path / "model.safetensors")
    with with_expected_tensors(tmp_path, {"model_type": "distilbert"}) as opened:
        assert opened == (tmp_path, False)


@pytest.mark.parametrize("prefix", ["", "roberta."])
def test_the_token_type_of_a_roberta_is_added_to_its_positions(tmp_path, prefix):
    tensors = write_checkpoint(tmp_path, kind="roberta", prefix=prefix)
    with with_expected_tensors(tmp_path, read_checkpoint_config(tmp_path)) as (folder, has_pooler):
        fused = read_all(folder)["roberta.embeddings.position_embeddings.weight"]
    assert not has_pooler
    positions = tensors[f"{prefix}embeddings.position_embeddings.weight"]
    np.testing.assert_array_equal(fused, positions + tensors[f"{prefix}embeddings.token_type_embeddings.weight"][0])


def test_a_roberta_with_zero_token_type_is_used_unchanged(tmp_path):
    tensors = write_checkpoint(tmp_path, kind="roberta", prefix="roberta.")
    tensors["roberta.embeddings.token_type_embeddings.weight"][:] = 0
    safetensors.numpy.save_file(tensors, tmp_path / "model.safetensors")
    with with_expected_tensors(tmp_path, read_checkpoint_config(tmp_path)) as opened:
        assert opened == (tmp_path, False)
