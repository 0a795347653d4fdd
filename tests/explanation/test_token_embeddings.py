import keras
import numpy as np
import pytest
from keras import layers

from tests.models import tiny_encoders
from tl_keras.errors import InputError
from tl_keras.explanation.integrated_gradients import TOLERANCE
from tl_keras.explanation.token_embeddings import attribute_tokens, find_embedding
from tl_keras.models.texts.classifiers import build_text_classifier
from tl_keras.models.texts.input import with_text_input


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("checkpoint")
    tiny_encoders.write_checkpoint(folder)
    return build_text_classifier(folder, 3, weights="none", pooling="average")


def check_complete(found, output):
    assert found.attributions.is_complete
    difference = found.attributions.output - found.attributions.baseline_output
    np.testing.assert_allclose(found.values.sum(), difference, atol=TOLERANCE * max(abs(difference), 0.01))
    np.testing.assert_allclose(found.attributions.output, output, atol=1e-5)


def test_the_tokens_of_a_text_sum_to_the_difference_of_probabilities(classifier):
    model = with_text_input(classifier)
    found = attribute_tokens(model, "A very badly dull film!", 1)
    tokens = [model.get_layer("text.tokenizer").id_to_token(one) for one in found.ids]
    assert tokens == ["a", "very", "bad", "##ly", "dull", "film", "!"]
    assert found.is_first.tolist() == [True, *[False] * 6]
    check_complete(found, float(model(np.array(["A very badly dull film!"], object))[0, 1]))


def test_all_windows_of_a_long_text_are_attributed(classifier):
    model = with_text_input(classifier, max_tokens=5, windows=3)
    found = attribute_tokens(model, "good film bad film dull", 0)
    assert len(found.ids) == 5 and found.is_first.sum() == 2
    check_complete(found, float(model(np.array(["good film bad film dull"], object))[0, 0]))


def test_both_texts_of_a_pair_are_attributed(classifier):
    model = with_text_input(classifier, pair=True)
    found = attribute_tokens(model, {"text": "good film", "text_pair": "dull"}, 0)
    assert found.is_first.tolist() == [True, False, True]
    check_complete(found, found.attributions.output)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["distil_bert", "albert", "deberta_v3", "roberta"])
def test_every_family_is_attributed(tmp_path, family):
    keras.utils.set_random_seed(0)
    tiny_encoders.save_preset(tmp_path, family)
    found = attribute_tokens(with_text_input(build_text_classifier(tmp_path, 2)), "good film", 0)
    assert len(found.ids) >= 2 and found.is_first[0]
    check_complete(found, found.attributions.output)


def test_another_model_is_refused():
    inputs = keras.Input((2,))
    with pytest.raises(InputError, match="no embedding of tokens"):
        find_embedding(keras.Model(inputs, layers.Dense(2)(inputs)))
