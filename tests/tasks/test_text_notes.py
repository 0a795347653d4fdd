from types import SimpleNamespace

import pytest

from tl_keras.errors import InputError
from tl_keras.tasks.text_notes import note_cuts, note_unknown, refuse_unknown

CONFIG = SimpleNamespace(
    model=SimpleNamespace(backbone="minilm"), text=SimpleNamespace(max_tokens=8, windows=1, truncation="head")
)


def shares(**values):
    return SimpleNamespace(**{"cut_tokens_share": 0, "cut_texts_share": 0, "unknown_tokens_share": 0} | values)


def test_good_texts_need_no_note():
    assert note_cuts(CONFIG, shares()) == note_unknown(CONFIG, shares(unknown_tokens_share=0.09)) == ()
    refuse_unknown(CONFIG, 0.89)


def test_cuts_are_counted():
    (note,) = note_cuts(CONFIG, shares(cut_tokens_share=0.25, cut_texts_share=0.5))
    assert note.startswith("50.0% of the texts were too long and lost 25.0% of all tokens")


def test_many_unknown_tokens_are_a_warning_and_nearly_all_an_error():
    (note,) = note_unknown(CONFIG, shares(unknown_tokens_share=0.1))
    assert note.startswith("10.0% of the tokens are unknown to the tokenizer of minilm")
    with pytest.raises(InputError, match="does not know 95.0% of the tokens.*--model.backbone xlm_roberta_base_multi"):
        refuse_unknown(CONFIG, 0.95)
