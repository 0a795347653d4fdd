"""Names of the text encoders. Pure values, without Keras; `presets.py` opens the encoders."""

MINILM = "minilm"
"""all-MiniLM-L6-v2 from a Python package, the only encoder that needs no model hub."""

_SENTENCE_PRESETS = """
    all_minilm_l6_v2_en all_minilm_l6_v1_en all_minilm_l12_v2_en
    paraphrase_minilm_l3_v2_en paraphrase_minilm_l6_v2_en paraphrase_minilm_l12_v2_en
    multi_qa_minilm_l6_cos_v1_en multi_qa_minilm_l6_dot_v1_en msmarco_minilm_l6_cos_v5_en msmarco_minilm_l12_cos_v5_en
    bge_small_en bge_base_en bge_large_en bge_small_v1.5_en bge_base_v1.5_en bge_large_v1.5_en
    bge_base_zh bge_large_zh bge_small_v1.5_zh bge_base_v1.5_zh bge_large_v1.5_zh
    bge_llm_embedder multilingual_e5_small mxbai_embed_large_v1_en mxbai_embed_2d_large_v1_en mxbai_embed_xsmall_v1_en
"""
_PRESETS = {
    "BertBackbone": f"""
        bert_tiny_en_uncased bert_small_en_uncased bert_medium_en_uncased bert_base_en_uncased bert_base_en bert_base_zh
        bert_base_multi bert_large_en_uncased bert_large_en bert_tiny_en_uncased_sst2 {_SENTENCE_PRESETS}
    """,
    "DistilBertBackbone": "distil_bert_base_en_uncased distil_bert_base_en distil_bert_base_multi",
    "RobertaBackbone": "roberta_base_en roberta_large_en",
    "XLMRobertaBackbone": """
        xlm_roberta_base_multi xlm_roberta_large_multi bge_m3 multilingual_e5_base multilingual_e5_large
    """,
    "AlbertBackbone": """
        albert_base_en_uncased albert_large_en_uncased albert_extra_large_en_uncased albert_extra_extra_large_en_uncased
    """,
    "DebertaV3Backbone": """
        deberta_v3_extra_small_en deberta_v3_small_en deberta_v3_base_en deberta_v3_large_en deberta_v3_base_multi
    """,
}

SENTENCE_PRESETS = tuple(_SENTENCE_PRESETS.split())
"""KerasHub presets converted from sentence encoders of Hugging Face, which were trained with the exact GELU."""

PRESETS_BY_CLASS = {kind: tuple(names.split()) for kind, names in _PRESETS.items()}
"""Presets of the BERT family in KerasHub 0.32, by the class of their network."""

TEXT_PRESETS = tuple(name for names in PRESETS_BY_CLASS.values() for name in names)
"""Names of all these presets."""

TEXT_BACKBONES = (MINILM, *TEXT_PRESETS)
"""All names. The folder of a preset or of a Hugging Face checkpoint is accepted as well."""
