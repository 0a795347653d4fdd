import numpy as np
import pytest

from tl_keras.data.records import Records
from tl_keras.data.texts.cleaning import MAX_CHARACTERS
from tl_keras.data.tokens.format import TokenFormat
from tl_keras.data.tokens.tokenizing import tokenize, tokenize_splits
from tl_keras.errors import InputError

FORMAT = TokenFormat(start_ids=(1,), separator_ids=(2,), end_ids=(3,), max_tokens=8)


class Encoder:
    """Encodes each word as the number of its letters plus 10, and records its calls."""

    def __init__(self):
        self.calls = []

    def __call__(self, texts):
        self.calls.append(list(texts))
        return [np.array([10 + len(word) for word in text.split()], np.int32) for text in texts]


def make_records(texts, splits=None):
    labels = np.arange(len(texts), dtype=np.int32) % 2
    names = [f"line {row}" for row in range(len(texts))]
    return Records(texts, names, labels, splits or ["train"] * len(texts), ("a", "b"))


def rows(token_set):
    return [part.tolist() for part in np.split(token_set.tokens, token_set.offsets[1:-1])]


def test_records_become_a_token_set():
    token_set = tokenize(make_records(["a bb", "ccc"]), Encoder(), FORMAT)
    assert rows(token_set) == [[1, 11, 12, 3], [1, 13, 3]]
    assert token_set.tokens.dtype == np.int32 and token_set.offsets.dtype == np.int64
    assert token_set.labels.tolist() == [0, 1] and token_set.class_names == ("a", "b")
    assert token_set.names == ["line 0", "line 1"] and token_set.texts == ["a bb", "ccc"]
    assert token_set.segments is None and token_set.cut_texts == token_set.cut_tokens == 0


def test_pairs_and_segments():
    token_format = TokenFormat((1,), (2,), (3,), has_segments=True)
    token_set = tokenize([("a", "bb"), ("ccc", "d e")], Encoder(), token_format)
    assert rows(token_set) == [[1, 11, 2, 12, 3], [1, 13, 2, 11, 11, 3]]
    assert token_set.segments.tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1]
    assert token_set.labels is None and token_set.names == ["text 1", "text 2"]


def test_many_texts_are_encoded_in_few_calls_and_stay_in_order():
    texts = ["x" * (1 + number % 50) for number in range(3000)]
    encoder = Encoder()
    token_set = tokenize(texts, encoder, FORMAT)
    assert len(encoder.calls) == 3
    assert token_set.tokens[1::3].tolist() == [10 + len(text) for text in texts]


def test_truncated_texts_and_tokens_are_counted():
    token_set = tokenize(["a " * 10, "b"], Encoder(), FORMAT)
    assert (token_set.cut_texts, token_set.cut_tokens) == (1, 4)
    assert token_set.lengths.tolist() == [8, 3]


@pytest.mark.parametrize(
    ("truncation", "expected"), [("head", [11] * 6), ("tail", [12] * 6), ("head_tail", [11] + [12] * 5)]
)
def test_a_text_of_four_megabytes_is_cut_before_the_tokenizer(truncation, expected):
    encoder = Encoder()
    token_format = TokenFormat((1,), (2,), (3,), max_tokens=8, truncation=truncation)
    token_set = tokenize(["a " * 1_000_000 + "bb " * 700_000], encoder, token_format)
    assert len(encoder.calls[0][0]) <= MAX_CHARACTERS + 1
    assert rows(token_set) == [[1, *expected, 3]]
    assert token_set.cut_texts == 1
    assert token_set.cut_tokens == pytest.approx(1_700_000, rel=0.3)


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail"])
def test_long_spaces_hide_no_tokens(truncation):
    token_format = TokenFormat((1,), (2,), (3,), max_tokens=8, truncation=truncation)
    blanks = " " * 45_000
    token_set = tokenize([f"a{blanks}bb{blanks}ccc"], Encoder(), token_format)
    assert rows(token_set) == [[1, 11, 12, 13, 3]] and token_set.cut_texts == 0


def test_texts_are_cleaned_before_tokenizing_and_do_not_count_as_truncated():
    encoder = Encoder()
    token_set = tokenize([("a\u00a0bb", "c\u200bcc"), ("d\u3000\ufeffd", "e\0")], encoder, FORMAT)
    assert encoder.calls == [["a bb", "d d"], ["ccc", "e"]]
    assert token_set.texts == [("a bb", "ccc"), ("d d", "e")]
    assert token_set.cut_texts == token_set.cut_tokens == 0


def test_examples_are_windows_in_training_and_texts_in_the_test():
    records = make_records(["a bb ccc d e f", "b", "a b c d", "bb"], ["train", "train", "validation", "test"])
    splits = tokenize_splits(records, Encoder(), TokenFormat((1,), (), (3,), max_tokens=4, windows=2))
    assert rows(splits.train) == [[1, 11, 12, 3], [1, 13, 11, 3], [1, 11, 3]]
    assert splits.train.labels.tolist() == [0, 0, 1] and splits.train.owners.tolist() == [0, 0, 1]
    assert len(splits.validation) == 2 and len(splits.test) == len(splits.test.windows) == 1
    assert splits.cut_texts_share == 1 / 4
    assert splits.cut_tokens_share == pytest.approx(2 / (2 + len(splits.train.tokens) + 8 + 3))


def test_windows_from_the_cache(tmp_path):
    token_format = TokenFormat((1,), (), (3,), max_tokens=4, windows=3)
    first, again = (tokenize(["a bb ccc d e", "b"], Encoder(), token_format, cache_folder=tmp_path) for _ in range(2))
    assert rows(first.windows) == rows(again.windows) and len(first.windows) == 4


def test_cached_texts_are_not_tokenized_again(tmp_path):
    encoder = Encoder()
    first = tokenize(["a bb", "c"], encoder, FORMAT, fingerprint="t", cache_folder=tmp_path)
    again = tokenize(["a bb", "c"], encoder, FORMAT, fingerprint="t", cache_folder=tmp_path)
    assert len(encoder.calls) == 1 and rows(first) == rows(again)
    tokenize(["a bb", "c"], encoder, FORMAT, fingerprint="other", cache_folder=tmp_path)
    assert len(encoder.calls) == 2


def test_a_truncated_cache_file_is_replaced(tmp_path):
    expected = tokenize(["a bb"], Encoder(), FORMAT, cache_folder=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-50])
    encoder = Encoder()
    assert rows(tokenize(["a bb"], encoder, FORMAT, cache_folder=tmp_path)) == rows(expected)
    tokenize(["a bb"], encoder, FORMAT, cache_folder=tmp_path)
    assert len(encoder.calls) == 1


def test_splits():
    records = make_records(["a", "b b", "c " * 9, "d"], ["test", "train", "train", ""])
    with pytest.raises(ValueError, match="undecided"):
        tokenize_splits(records, Encoder(), FORMAT)
    splits = tokenize_splits(records.take([0, 1, 2]), Encoder(), FORMAT)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [2, 0, 1]
    assert splits.cut_texts_share == pytest.approx(1 / 3) and splits.class_names == ("a", "b")


def test_texts_without_any_token_are_refused():
    with pytest.raises(InputError, match="None of 2 texts has a token"):
        tokenize([" ", " "], Encoder(), TokenFormat())
