import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.eager_functions import eager_functions
from tests.models.tiny_encoders import TEXTS, save_preset, token_inputs
from tl_keras.adaptation import MaskedLanguageModel, pretrain_on_texts
from tl_keras.errors import InputError
from tl_keras.models.texts.classifiers import build_text_classifier


@pytest.fixture
def classifier(tmp_path):
    keras.utils.set_random_seed(0)
    save_preset(tmp_path, "bert")
    return build_text_classifier(tmp_path, 2)


def test_the_head_shares_the_embeddings_and_predicts_the_masked_positions(classifier):
    model, inputs = MaskedLanguageModel(classifier), token_inputs(classifier.tokenizer)
    positions = np.array([[1, 2]] * len(inputs["token_ids"]), "int32")
    logits = np.asarray(model(inputs | {"mask_positions": positions}))
    vocabulary = classifier.tokenizer.layer.vocabulary_size()
    assert logits.shape == (len(positions), 2, vocabulary)
    table = next(weight for weight in classifier.weights if weight.shape[0] == vocabulary)
    assert any(weight is table for weight in model.trainable_variables)
    table.assign(0 * table)
    assert not np.array_equal(logits, np.asarray(model(inputs | {"mask_positions": positions})))


def test_pretraining_changes_the_encoder_and_not_the_head(classifier):
    inputs = token_inputs(classifier.tokenizer)
    batches = tf.data.Dataset.from_tensors((inputs, np.zeros(len(TEXTS)))).repeat()
    before = {weight.path: np.asarray(weight) for weight in classifier.weights}
    untrained = np.log(classifier.tokenizer.layer.vocabulary_size())
    assert pretrain_on_texts(classifier, batches, 25, max_tokens=16, learning_rate=0.01) < 0.9 * untrained
    moved = {path.split(".")[0] for path, old in before.items() if np.any(old != dict(_by_path(classifier))[path])}
    assert "embeddings" in moved and "layer1" in moved and "head" not in moved


def test_unused_mask_positions_do_not_count(classifier):
    """Short texts have few masked tokens, but many mask positions if the maximum length is large."""
    inputs = token_inputs(classifier.tokenizer)
    batches = tf.data.Dataset.from_tensors((inputs, np.zeros(len(TEXTS)))).repeat()
    with eager_functions():
        loss = pretrain_on_texts(classifier, batches, 4, max_tokens=128, learning_rate=1e-9)
    np.testing.assert_allclose(loss, np.log(classifier.tokenizer.layer.vocabulary_size()), rtol=0.2)


def test_a_vocabulary_without_a_mask_is_refused(classifier, monkeypatch):
    monkeypatch.setattr(classifier.tokenizer.layer, "get_vocabulary", lambda: ["[PAD]", "word"])
    with pytest.raises(InputError, match=r"has no \[MASK\]"):
        pretrain_on_texts(classifier, None, 1, max_tokens=16)


def _by_path(model):
    return [(weight.path, np.asarray(weight)) for weight in model.weights]
