import keras
import numpy as np
import pytest

from tests.models.detection.tiny_presets import save_retina_net
from tl_keras.models.detection.hub.retina_net import build_preset_retina_net
from tl_keras.models.detection.settings import DecodingSettings, RetinaNetSettings
from tl_keras.models.detection.targets.box_coding import decode_boxes
from tl_keras.transfer.freezing import block_names

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype("float32")
SETTINGS = RetinaNetSettings(decoding=DecodingSettings(max_detections=5))


def ours_and_hubs(folder, num_classes, class_names=None, **variant):
    hub_model, converter = save_retina_net(folder, 91, **variant)
    model = build_preset_retina_net(str(folder), num_classes, 64, SETTINGS, class_names=class_names)
    return model, hub_model, {name: np.asarray(part) for name, part in hub_model(converter(IMAGES)).items()}


def size_by_size(values):
    """Reorders the anchors of each cell from KerasHub's order by ratio to the order by size."""
    split = values.reshape(*values.shape[:-2], -1, 3, 3, values.shape[-1])
    return np.swapaxes(split, -3, -2).reshape(values.shape)


@pytest.mark.parametrize("variant", [{}, {"use_p5": True, "norm": True}], ids=["first", "second"])
def test_logits_and_boxes_equal_kerashub(tmp_path, variant):
    model, hub_model, expected = ours_and_hubs(tmp_path, 91, **variant)
    outputs = model(IMAGES)
    np.testing.assert_allclose(outputs["class_logits"], size_by_size(expected["cls_logits"]), atol=1e-3)
    np.testing.assert_allclose(outputs["box_deltas"], size_by_size(expected["bbox_regression"]), atol=1e-3)
    anchors = np.concatenate([np.asarray(part) for part in hub_model.anchor_generator(IMAGES).values()])
    boxes = keras.utils.bounding_boxes.decode_deltas_to_boxes(
        anchors=anchors,
        boxes_delta=expected["bbox_regression"],
        encoded_format="center_xywh",
        anchor_format="yxyx",
        box_format="xyxy",
        image_shape=(64, 64, 3),
    )
    decoded = np.asarray(decode_boxes(outputs["box_deltas"], model.decoder.anchors.all()))
    is_usual = np.asarray(outputs["box_deltas"])[..., 2:].max(axis=-1) < 4  # this project clips larger ones
    assert is_usual.mean() > 0.5
    np.testing.assert_allclose(decoded[is_usual], size_by_size(np.asarray(boxes))[is_usual], rtol=1e-4, atol=0.05)


def test_coco_classes_keep_their_weights(tmp_path):
    model, _, expected = ours_and_hubs(tmp_path, 3, ("traffic light", "unicorn", "person"))
    assert model.weights_report.kept_classes == ("traffic light", "person")
    assert model.weights_report.clashes == ("head.logits (other classes)",)
    assert block_names(model) == ["P2", "P3", "P4", "P5", "neck", "head"] and model.image_size == 64
    logits = size_by_size(expected["cls_logits"])
    own = np.asarray(model(IMAGES)["class_logits"])
    np.testing.assert_allclose(own[..., [0, 2]], logits[..., [10, 1]], atol=1e-3)
    assert abs(own[..., 1] - logits[..., 2]).max() > 0.1
