import keras
import numpy as np
import pytest

from tests.exporting.tiny_sources import NAMES
from tests.models.tiny_encoders import save_preset
from tl_keras.errors import InputError
from tl_keras.exporting.token_part import token_part
from tl_keras.models.texts.classifiers import build_text_classifier
from tl_keras.models.texts.input import with_text_input


@pytest.mark.parametrize("family", ["distil_bert", "roberta", "deberta_v3"])
def test_the_part_behind_the_tokenizer_computes_what_the_model_does(tmp_path, family):
    keras.utils.set_random_seed(0)
    save_preset(tmp_path, family)
    classifier = build_text_classifier(tmp_path, 3, class_names=NAMES)
    part = token_part(with_text_input(classifier, max_tokens=12))
    assert set(part.input) == set(classifier.input)
    ids = {name: np.tile(np.arange(5, 13, dtype="int32"), (2, 1)) for name in part.input}
    ids["padding_mask"] = np.array([[1] * 8, [1] * 5 + [0] * 3], "int32")
    ids |= {"segment_ids": np.zeros((2, 8), "int32")} if "segment_ids" in ids else {}
    np.testing.assert_allclose(part(ids), classifier(ids), atol=1e-6)


def test_models_with_windows_are_refused(tmp_path):
    save_preset(tmp_path, "bert")
    classifier = build_text_classifier(tmp_path, 3, class_names=NAMES)
    model = with_text_input(classifier, max_tokens=8, windows=2)
    with pytest.raises(InputError, match="tokenizer cannot be separated"):
        token_part(model)
