import keras_hub
import numpy as np
import pytest

from tests.exporting.tiny_sources import TEXTS, text_model
from tests.models.tiny_encoders import FAMILIES
from tl_keras.data.texts.cleaning import clean_text
from tl_keras.errors import InputError
from tl_keras.exporting.tokenizer_file import open_tokenizer, write_tokenizer


class Model:
    """Stands in for a model with a tokenizer."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    def get_layer(self, name):
        return self.tokenizer


@pytest.mark.parametrize("family", ["bert", "distil_bert", "roberta"])
def test_the_ids_are_those_of_the_model(tmp_path, family):
    tokenizer = FAMILIES[family]()[1]
    write_tokenizer(Model(tokenizer), tmp_path / "tokenizer.json", max_tokens=12, truncation="head")
    texts = [*TEXTS["text"], "b\u00a0ba\u200bd"]
    got = open_tokenizer(tmp_path / "tokenizer.json")(texts)
    for row, text in enumerate(texts):
        words = np.asarray(tokenizer([clean_text(text)])[0], int)[:10]
        expected = [tokenizer.start_token_id, *words, tokenizer.end_token_id]
        mask = got["padding_mask"][row] == 1
        assert got["token_ids"][row][mask].tolist() == expected
        assert set(got["token_ids"][row][~mask]) <= {tokenizer.pad_token_id}


def test_the_end_of_long_texts_is_kept_where_training_kept_it(tmp_path):
    write_tokenizer(text_model(tmp_path, "tail"), tmp_path / "x.json", max_tokens=4, truncation="tail")
    encode = open_tokenizer(tmp_path / "x.json")
    assert encode(["good bad film"])["token_ids"].tolist() == encode(["bad film"])["token_ids"].tolist()


def test_tokenizers_without_counterpart_are_refused(tmp_path):
    tokenizer = FAMILIES["albert"]()[1]
    assert isinstance(tokenizer, keras_hub.tokenizers.AlbertTokenizer)
    with pytest.raises(InputError, match="no tokenizer.json for a AlbertTokenizer: export this run as savedmodel"):
        write_tokenizer(Model(tokenizer), tmp_path / "x.json", max_tokens=12, truncation="head")
