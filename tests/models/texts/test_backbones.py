import subprocess
import sys

import keras_hub

from tl_keras.models.texts.backbones import PRESETS_BY_CLASS, SENTENCE_PRESETS, TEXT_BACKBONES
from tl_keras.models.texts.presets import POOLINGS_BY_CLASS


def test_names_equal_those_of_kerashub():
    known = {kind: set(getattr(keras_hub.models, kind).presets) for kind in POOLINGS_BY_CLASS}
    # In KerasHub, the presets of a class include those of its subclasses.
    known["RobertaBackbone"] -= known["XLMRobertaBackbone"]
    assert {kind: set(names) for kind, names in PRESETS_BY_CLASS.items()} == known
    assert len(set(TEXT_BACKBONES)) == len(TEXT_BACKBONES)


def test_sentence_presets_are_the_berts_of_other_authors():
    berts = set(keras_hub.models.BertBackbone.presets)
    assert set(SENTENCE_PRESETS) == {name for name in berts if not name.startswith("bert_")}


def test_the_names_do_not_import_keras():
    code = (
        "import sys; from tl_keras.models.texts.backbones import TEXT_BACKBONES; "
        "assert 'minilm' in TEXT_BACKBONES; assert not {'keras.src', 'tensorflow', 'keras_hub.src'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
