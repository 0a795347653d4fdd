import keras_hub
import pytest

from tests.models.detection.tiny_presets import save_d_fine
from tl_keras.errors import InputError
from tl_keras.models.detection.hub.presets import PRESETS, coco_class_names, open_hub_detector, preset_of


def test_class_names_are_in_the_order_of_the_detectors():
    dense, sparse = coco_class_names(80), coco_class_names(91)
    assert len(dense) == 80 and (dense[0], dense[9], dense[79]) == ("person", "traffic light", "toothbrush")
    assert len(sparse) == 91 and (sparse[0], sparse[1], sparse[90]) == (None, "person", "toothbrush")
    assert [name for name in sparse if name] == list(dense) and coco_class_names(20) is None


def test_kerashub_has_every_preset():
    known = keras_hub.models.RetinaNetBackbone.presets | keras_hub.models.DFineBackbone.presets
    assert {preset for presets in PRESETS.values() for preset in presets.values()} <= set(known)


def test_presets_are_found_by_backbone():
    assert preset_of("d_fine", "d_fine_nano") == "dfine_nano_coco"
    assert preset_of("retinanet", "keras_hub:some/folder") == "some/folder"
    with pytest.raises(InputError, match="model.backbone of retinanet with COCO weights 'vgg16'.*keras_hub:PRESET"):
        preset_of("retinanet", "vgg16")


def test_a_failed_download_is_a_one_line_error(monkeypatch):
    def refuse(*_arguments, **_options):
        raise ConnectionError("no network\nsecond line")

    monkeypatch.setattr(keras_hub.models.DFineBackbone, "from_preset", refuse)
    with pytest.raises(InputError, match=r"dfine_nano_coco' could not be opened \(no network\): .*keras_hub:PATH"):
        open_hub_detector("dfine_nano_coco", "DFineBackbone")


@pytest.mark.parametrize("preset", ["no_such_preset", "/no/such/folder"])
def test_an_unknown_preset_is_refused(preset):
    with pytest.raises(InputError, match=f"{preset}' (could not be opened|of a KerasHub preset)"):
        open_hub_detector(preset, "RetinaNetObjectDetector")


def test_a_folder_of_another_format_which_kerashub_would_convert_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "d_fine"}')
    with pytest.raises(InputError, match="not of a KerasHub preset for images"):
        open_hub_detector(str(tmp_path), "DFineObjectDetector")


def test_a_preset_of_another_detector_is_refused(tmp_path):
    save_d_fine(tmp_path, 2)
    with pytest.raises(InputError, match="could not be opened"):
        open_hub_detector(str(tmp_path), "RetinaNetObjectDetector")
