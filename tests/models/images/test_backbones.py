import subprocess
import sys

import pytest

from tl_keras.models.images.backbones import BACKBONES


def test_the_table_does_not_import_keras():
    code = (
        "import sys, tl_keras.models.images.backbones; sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", BACKBONES)
def test_block_names_are_unique_and_not_reserved(name):
    blocks = [block for block, _ in BACKBONES[name].blocks]
    assert len(set(blocks)) == len(blocks)
    assert not {"head", "preprocessing", "all"} & set(blocks)
    assert not any("." in block for block in blocks)
