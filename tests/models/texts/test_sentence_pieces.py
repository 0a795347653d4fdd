import io

import pytest
import sentencepiece

from tl_keras.models.texts.sentence_pieces import normalize_text, with_normalizer

SMALL = ["crème brûlée and a very good film", "naive film, deja vu", 'a cafe " in creme and brulee'] * 9


def trained(texts):
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=written, vocab_size=60, hard_vocab_limit=False, minloglevel=2
    )
    return written.getvalue()


@pytest.fixture(scope="module")
def models():
    """Returns tokenizers of a model trained on small letters, without and with the normalizer."""
    proto = trained(map(normalize_text, SMALL))
    pair = (proto, with_normalizer(proto))
    return [sentencepiece.SentencePieceProcessor(model_proto=proto) for proto in pair]


@pytest.mark.parametrize(
    "text", ["A VERY Good Film", "Crème BRÛLÉE", "cafe\u0301", "ﬁlm ①", "Ünïcödé — 東京 🙂", "very  good", "", "İ ẞ Ω"]
)
def test_capitals_and_accents_are_encoded_as_plain_letters(models, text):
    before, after = models
    assert after.encode(text) == before.encode(normalize_text(text))


def test_two_single_quotes_are_encoded_as_a_double_quote(models):
    before, after = models
    assert after.encode("``good''") == before.encode('"good"') != before.encode("``good''")


def test_pieces_and_ids_do_not_change(models):
    before, after = models
    ids = range(before.get_piece_size())
    assert after.get_piece_size() == len(ids)
    assert [after.id_to_piece(number) for number in ids] == [before.id_to_piece(number) for number in ids]


def test_a_model_with_capitals_is_returned_unchanged():
    proto = trained(["A Very good Film", "A Film"] * 9)
    assert with_normalizer(proto) == proto
