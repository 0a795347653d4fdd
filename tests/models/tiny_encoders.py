"""Random text encoders of two layers with tokenizers of a few words, saved as presets or checkpoints."""

import io
import json

import keras_hub
import numpy as np
import safetensors.numpy
import sentencepiece

WORDS = ["good", "bad", "film", "a", "the", "very", "fun", "dull", "##ly", "cafe", ",", "!", "b", "##ad"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS = ["good film", "a very bad, very dull film!", "the café"]
SIZES = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 24, "max_sequence_length": 40}


def bert():
    backbone = keras_hub.models.BertBackbone(vocabulary_size=19, **SIZES)
    return backbone, keras_hub.tokenizers.BertTokenizer(SPECIAL + WORDS, lowercase=True)


def distil_bert():
    backbone = keras_hub.models.DistilBertBackbone(vocabulary_size=19, **SIZES)
    return backbone, keras_hub.tokenizers.DistilBertTokenizer(SPECIAL + WORDS, lowercase=True)


def roberta():
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *"abcdefghijklmnopqrstuvwxyz", "Ġ", ",", "!", "Ã", "©", "Ġa", "<mask>"]
    backbone = keras_hub.models.RobertaBackbone(vocabulary_size=len(tokens), **SIZES)
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return backbone, keras_hub.tokenizers.RobertaTokenizer(vocabulary, ["Ġ a"])


def albert():
    backbone = keras_hub.models.AlbertBackbone(vocabulary_size=60, embedding_dim=8, **SIZES)
    return backbone, keras_hub.tokenizers.AlbertTokenizer(_sentence_pieces(unk_piece="<unk>"))


def deberta_v3():
    backbone = keras_hub.models.DebertaV3Backbone(vocabulary_size=61, bucket_size=4, **SIZES)
    return backbone, keras_hub.tokenizers.DebertaV3Tokenizer(_sentence_pieces(unk_piece="[UNK]", pad_piece="[PAD]"))


FAMILIES = {builder.__name__: builder for builder in (bert, distil_bert, roberta, albert, deberta_v3)}
"""Builders of (backbone, tokenizer) by the name of the family."""
BLOCKS = dict.fromkeys(FAMILIES, ["embeddings", "layer1", "layer2"]) | {"albert": ["embeddings", "encoder"]}
"""Names of the blocks of each family, without pooler and head."""


def save_preset(folder, family):
    """Saves a preset folder; returns its backbone and its tokenizer."""
    backbone, tokenizer = FAMILIES[family]()
    backbone.save_to_preset(str(folder))
    tokenizer.save_to_preset(str(folder))
    return backbone, tokenizer


def write_checkpoint(
    folder, *, activation="gelu", epsilon=1e-12, pooler=True, settings=None, seed=0, kind="bert", prefix=""
):
    """Saves a BERT or a RoBERTa in the format of Hugging Face; returns its tensors, whose names start with `prefix`."""
    generator = np.random.default_rng(seed)

    def draw(*shape):
        return generator.normal(0, 0.5, shape).astype("float32")

    tensors = {
        "embeddings.word_embeddings.weight": draw(19, 16),
        "embeddings.position_embeddings.weight": draw(40, 16),
        "embeddings.token_type_embeddings.weight": draw(2, 16),
        **_norm("embeddings.LayerNorm", draw),
    }
    for number in range(2):
        layer = f"encoder.layer.{number}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            tensors |= _dense(f"{layer}.attention.{name}", 16, 16, draw)
        tensors |= _norm(f"{layer}.attention.output.LayerNorm", draw)
        tensors |= _dense(f"{layer}.intermediate.dense", 16, 24, draw) | _dense(f"{layer}.output.dense", 24, 16, draw)
        tensors |= _norm(f"{layer}.output.LayerNorm", draw)
    if pooler:
        tensors |= _dense("pooler.dense", 16, 16, draw)
    tensors = {f"{prefix}{name}": value for name, value in tensors.items()}
    config = {
        "model_type": kind,
        "vocab_size": 19,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "hidden_size": 16,
        "intermediate_size": 24,
        "max_position_embeddings": 40,
        "hidden_act": activation,
        "layer_norm_eps": epsilon,
        "hidden_dropout_prob": 0.0,
    }
    folder.mkdir(exist_ok=True)
    safetensors.numpy.save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings or {"do_lower_case": True}))
    (folder / "vocab.txt").write_text("\n".join(SPECIAL + WORDS) + "\n", encoding="utf-8")
    return tensors


def token_inputs(tokenizer, texts=TEXTS):
    """Builds the inputs of a classifier: padded rows of ids with special tokens."""
    rows = [[*tokenizer.start_ids, *ids, *tokenizer.end_ids] for ids in tokenizer.encode(texts)]
    length = max(map(len, rows))
    mask = np.array([[1] * len(row) + [0] * (length - len(row)) for row in rows], "int32")
    ids = np.array([row + [tokenizer.pad_id] * (length - len(row)) for row in rows], "int32")
    inputs = {"token_ids": ids, "padding_mask": mask}
    return {**inputs, "segment_ids": np.zeros_like(ids)} if tokenizer.has_segments else inputs


def random_inputs(backbone):
    """Draws inputs of an encoder, rows of several lengths, without its tokenizer, which takes seconds to trace."""
    mask = np.array([[1] * length + [0] * (9 - length) for length in (4, 9, 5)], "int32")
    ids = np.random.default_rng(0).integers(4, 19, mask.shape).astype("int32") * mask
    inputs = {"token_ids": ids, "padding_mask": mask}
    return {**inputs, "segment_ids": np.zeros_like(ids)} if "segment_ids" in backbone.input else inputs


def _dense(name, inputs, outputs, draw):
    return {f"{name}.weight": draw(outputs, inputs), f"{name}.bias": draw(outputs)}


def _norm(name, draw):
    return {f"{name}.weight": 1 + draw(16), f"{name}.bias": draw(16)}


def _sentence_pieces(**pieces):
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*TEXTS * 5, "fun and bad and good", "the dull cafe"] * 5),
        model_writer=written,
        vocab_size=60,
        hard_vocab_limit=False,
        model_type="unigram",
        pad_id=0,
        unk_id=1,
        bos_id=2,
        eos_id=3,
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        user_defined_symbols="[MASK]",
        minloglevel=2,
        **{"pad_piece": "<pad>", **pieces},
    )
    return written.getvalue()
