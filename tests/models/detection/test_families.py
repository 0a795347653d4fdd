from dataclasses import fields

import pytest

from tl_keras.models.detection.families import FAMILIES
from tl_keras.models.detection.hub.d_fine_sizes import SIZES as D_FINE_SIZES
from tl_keras.models.detection.yolo_v8 import SIZES as YOLO_SIZES
from tl_keras.models.images.backbones import BACKBONES


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_defaults_are_known(family):
    assert family.backbone in (family.sizes or BACKBONES)
    assert None in family.named_weights and family.named_weights[0]
    assert "decoding" in {field.name for field in fields(family.settings)}


def test_sizes_can_be_built():
    assert FAMILIES["yolo_v8"].sizes == tuple(YOLO_SIZES)
    assert FAMILIES["d_fine"].sizes == tuple(D_FINE_SIZES)


def test_coco_weights_have_their_own_default_backbone():
    assert FAMILIES["retinanet"].default_backbone("coco") == "resnet50"
    assert FAMILIES["retinanet"].default_backbone("imagenet") == "efficientnet_lite0"
    assert FAMILIES["yolo_v8"].default_backbone("coco") == "yolo_v8_s"
