"""SentencePiece models that lower capitals and strip accents themselves, as ALBERT expects its input.

`preprocess_text` of Lan et al., "ALBERT: A Lite BERT", 2019, lowers and strips texts before SentencePiece, and so does
transformers. KerasHub 0.32 does not: it splits "This" into an unknown token and "his". A rule inside the SentencePiece
model is saved together with the Keras model.
"""

import functools
import io
import sys
import tempfile
import unicodedata
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

NORMAL_PIECE = 1
QUOTES = {"``": '"', "''": '"'}


def with_normalizer(proto):
    """Adds lowercasing and accent stripping to a SentencePiece model.

    Args:
        proto: bytes of a SentencePiece model.

    Returns:
        Bytes of a model with the same pieces and ids; a model with capitals in its pieces is returned unchanged.
    """
    model = sentencepiece_model_pb2.ModelProto.FromString(proto)
    pieces = [piece.piece for piece in model.pieces if piece.type == NORMAL_PIECE]
    if any(piece != piece.lower() for piece in pieces):
        return proto
    model.normalizer_spec.precompiled_charsmap = _compiled_rules()
    return model.SerializeToString()


def normalize_text(text):
    """Lowers capitals and strips accents like ALBERT's `preprocess_text`.

    Args:
        text: str.

    Returns:
        str in normal form NFKC.
    """
    letters = unicodedata.normalize("NFKD", text)
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return unicodedata.normalize("NFKC", letters.lower())


@functools.cache
def _compiled_rules():
    """Compiles the rules by training a SentencePiece model of two words; there is no other way to compile them."""
    changed = {
        letter: normalize_text(letter) for letter in map(chr, range(1, sys.maxunicode + 1)) if _is_changed(letter)
    }
    lines = [f"{_hexadecimal(letter)}\t{_hexadecimal(plain)}\n" for letter, plain in (changed | QUOTES).items()]
    written = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder, "rules.tsv")
        rules.write_text("".join(lines), encoding="ascii")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["two words"] * 9),
            model_writer=written,
            vocab_size=16,
            hard_vocab_limit=False,
            normalization_rule_tsv=str(rules),
            minloglevel=2,
        )
    model = sentencepiece_model_pb2.ModelProto.FromString(written.getvalue())
    return model.normalizer_spec.precompiled_charsmap


def _is_changed(letter):
    return unicodedata.category(letter) != "Cs" and normalize_text(letter) != letter


def _hexadecimal(text):
    return " ".join(f"{ord(letter):X}" for letter in text)
