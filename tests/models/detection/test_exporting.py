import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tl_keras.models import export_detector


def constant_model(labels):
    """Builds a model that returns the same labels for every image."""
    image = keras.Input((8, 8, 3))
    count = len(labels)
    zero = ops.sum(image, axis=(1, 2, 3)) * 0
    detections = {
        "boxes": ops.reshape(zero, (-1, 1, 1)) + ops.ones((1, count, 4)),
        "scores": ops.reshape(zero, (-1, 1)) + ops.ones((1, count)),
        "labels": ops.cast(ops.reshape(zero, (-1, 1)), "int32") + ops.convert_to_tensor([labels], "int32"),
    }
    return keras.Model(image, detections)


def test_detections_have_class_names_and_padding_has_none(tmp_path):
    export_detector(constant_model([1, 0, -1]), ("cat", "dog"), tmp_path / "exported")
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    detections = loaded.serve(np.zeros((2, 8, 8, 3), "float32"))
    assert detections["class_names"].numpy().tolist() == [[b"dog", b"cat", b""]] * 2
    assert detections["boxes"].shape == (2, 3, 4)


def test_an_old_folder_is_replaced(tmp_path):
    (tmp_path / "exported").mkdir()
    (tmp_path / "exported" / "old").write_text("")
    export_detector(constant_model([0]), ("cat",), tmp_path / "exported")
    assert [path.name for path in tmp_path.iterdir()] == ["exported"]
    assert not (tmp_path / "exported" / "old").exists()
