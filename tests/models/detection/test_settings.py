import subprocess
import sys

import pytest

from tl_keras.models.detection.settings import FasterRCNNSettings, RetinaNetSettings, YoloV8Settings


@pytest.mark.parametrize("settings", [FasterRCNNSettings, RetinaNetSettings, YoloV8Settings])
def test_settings_are_comparable_and_hashable(settings):
    assert settings() == settings() and hash(settings())


def test_settings_do_not_import_keras():
    code = "import sys, tl_keras.models.detection.settings; sys.exit('keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
