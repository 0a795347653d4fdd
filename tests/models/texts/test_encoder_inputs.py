import pytest

from tests.models.tiny_encoders import save_preset
from tl_keras.models.texts.classifiers import build_text_classifier
from tl_keras.models.texts.encoder_inputs import PADDING_MASK, TOKEN_IDS, encoder_inputs
from tl_keras.models.texts.input import with_text_input


@pytest.mark.parametrize(("family", "more"), [("bert", {"segment_ids"}), ("distil_bert", set())])
def test_the_inputs_of_an_encoder_behind_its_tokenizer_are_found(tmp_path, family, more):
    save_preset(tmp_path, family)
    found = encoder_inputs(with_text_input(build_text_classifier(tmp_path, 2), max_tokens=12))
    assert set(found) == {TOKEN_IDS, PADDING_MASK} | more
