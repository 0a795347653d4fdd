import pytest

from tl_keras.explanation.words import BEGINS, BEGINS_BYTES, CONTINUES, join_words


@pytest.mark.parametrize(
    ("tokens", "mark", "words"),
    [
        (["bad", "##ly", "!", "[UNK]"], CONTINUES, ["badly", "!", "[UNK]"]),
        (["▁bad", "ly", "▁film", "!"], BEGINS, ["badly", "film!"]),
        (["bad", "ly", "Ġcaf", "Ã", "©"], BEGINS_BYTES, ["badly", "café"]),
    ],
)
def test_tokens_are_joined_to_words_and_summed(tokens, mark, words):
    is_first = [True] + [False] * (len(tokens) - 1)
    joined = join_words(tokens, is_first, [1.0] * len(tokens), mark)
    assert [word for word, _ in joined] == words
    assert sum(value for _, value in joined) == len(tokens)


def test_the_second_text_of_a_pair_begins_a_word():
    assert join_words(["good", "bad"], [True, True], [1, 2], BEGINS_BYTES) == [("good", 1.0), ("bad", 2.0)]
