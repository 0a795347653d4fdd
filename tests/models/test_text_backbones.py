import subprocess
import sys

import keras_hub

from tl_keras.models.text_backbones import SENTENCE_PRESETS, TEXT_BACKBONES, TEXT_PRESETS
from tl_keras.models.text_presets import POOLINGS_BY_CLASS


def test_the_names_are_those_of_keras_hub():
    known = {name for kind in POOLINGS_BY_CLASS for name in getattr(keras_hub.models, kind).presets}
    assert set(TEXT_PRESETS) == known
    assert len(set(TEXT_BACKBONES)) == len(TEXT_BACKBONES)


def test_sentence_presets_are_berts_that_are_not_googles():
    berts = set(keras_hub.models.BertBackbone.presets)
    assert set(SENTENCE_PRESETS) == {name for name in berts if not name.startswith("bert_")}


def test_the_names_are_read_without_keras():
    code = (
        "import sys; from tl_keras.models.text_backbones import TEXT_BACKBONES; "
        "assert 'minilm' in TEXT_BACKBONES; assert not {'keras.src', 'tensorflow', 'keras_hub.src'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
