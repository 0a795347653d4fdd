import keras_hub
import pytest
import safetensors.numpy

from tests.models.tiny_encoders import FAMILIES, save_preset, write_checkpoint
from tl_keras.errors import InputError
from tl_keras.models.texts.presets import default_pooling, find_text_source, open_text_network


@pytest.mark.parametrize("family", FAMILIES)
def test_the_folder_of_a_preset_is_found_and_opened(tmp_path, family):
    backbone, _ = save_preset(tmp_path, family)
    source = find_text_source(tmp_path)
    assert source.class_name == type(backbone).__name__
    network, settings, has_pooler = open_text_network(source, weights=True)
    assert type(network) is type(backbone)
    assert settings == {}
    assert has_pooler is (family in ("bert", "albert"))


@pytest.mark.parametrize(
    "name, class_name, pooling",
    [
        ("bert_base_en", "BertBackbone", "first"),
        ("all_minilm_l6_v2_en", "BertBackbone", "average"),
        ("distil_bert_base_en", "DistilBertBackbone", "average"),
        ("roberta_base_en", "RobertaBackbone", "average"),
        ("albert_base_en_uncased", "AlbertBackbone", "first"),
        ("deberta_v3_small_en", "DebertaV3Backbone", "average"),
    ],
)
def test_named_presets_are_resolved(name, class_name, pooling):
    source = find_text_source(name)
    assert (source.class_name, source.folder, default_pooling(source)) == (class_name, None, pooling)


def test_a_checkpoint_is_found_with_or_without_the_prefix(tmp_path):
    write_checkpoint(tmp_path)
    assert find_text_source(f"keras_hub:{tmp_path}") == find_text_source(tmp_path)
    assert find_text_source(tmp_path).class_name == "BertBackbone"
    assert default_pooling(find_text_source(tmp_path)) == "first"


@pytest.mark.parametrize("name, activation", [("all_minilm_l6_v2_en", {"activation": "gelu"}), ("bert_base_en", {})])
def test_only_sentence_presets_get_the_exact_gelu(monkeypatch, name, activation):
    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", lambda *_arguments, **_options: "network")
    assert open_text_network(find_text_source(name), weights=True) == ("network", activation, True)


@pytest.mark.parametrize(
    "name, message",
    [
        ("bert_base_en_uncase", "Unknown model.backbone .*did you mean 'bert_base_en_uncased'"),
        ("minilmm", "did you mean 'minilm'"),
        ("no/such/folder", "No folder 'no/such/folder'"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(name, message):
    with pytest.raises(InputError, match=message):
        find_text_source(name)


def test_a_folder_of_another_network_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no config.json"):
        find_text_source(tmp_path)
    keras_hub.models.VGGBackbone(stackwise_num_repeats=[1], stackwise_num_filters=[4]).save_to_preset(str(tmp_path))
    with pytest.raises(InputError, match="holds a VGGBackbone, expected .*BertBackbone"):
        find_text_source(tmp_path)


def test_a_missing_network_connection_names_the_offline_options(monkeypatch):
    def refuse(*_arguments, **_options):
        raise ConnectionError("no network\nsecond line")

    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", refuse)
    with pytest.raises(InputError, match=r"\(the model hub cannot be reached\).* PATH.*--model.backbone minilm"):
        open_text_network(find_text_source("bert_base_en"), weights=True)


def test_a_missing_preset_is_a_one_line_error(monkeypatch):
    def refuse(*_arguments, **_options):
        raise FileNotFoundError("`config.json` doesn't exist\nsecond line")

    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", refuse)
    with pytest.raises(InputError, match=r"\(`config.json` doesn't exist\): presets need"):
        open_text_network(find_text_source("bert_base_en"), weights=True)


@pytest.mark.parametrize("broken", ["missing", "cut", "without a tensor"])
def test_a_damaged_checkpoint_is_a_one_line_error(tmp_path, broken):
    tensors = write_checkpoint(tmp_path)
    path = tmp_path / "model.safetensors"
    if broken == "missing":
        path.unlink()
    elif broken == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    else:
        tensors.pop("encoder.layer.1.output.dense.bias")
        safetensors.numpy.save_file(tensors, path)
    with pytest.raises(InputError, match="could not be opened"):
        open_text_network(find_text_source(tmp_path), weights=True)
