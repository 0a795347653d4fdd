"""Export of detectors as SavedModels that need neither Keras nor this project."""

import shutil
from pathlib import Path

import keras
import tensorflow as tf

from tl_keras.system.atomic_files import new_folder

PADDING_NAME = ""


def export_detector(model, class_names, folder):
    """Exports a detector as a SavedModel of plain TensorFlow operations.

    `tf.saved_model.load(folder).serve(images)`, like any other reader of SavedModels, takes float32 (batch, image_size,
    image_size, 3), RGB, 0 to 255, and returns the dictionary of `Detector.decode` with `class_names`, string (batch,
    max_detections), empty for padding.

    Args:
        model: `inference_model` of a `Detector`.
        class_names: sequence of names in the order of the labels.
        folder: path of the folder to write; an existing folder is replaced.
    """
    # Index 0 is that of label -1, the padding.
    names = tf.constant([PADDING_NAME, *class_names])

    def serve(images):
        detections = model(images, training=False)
        return {**detections, "class_names": tf.gather(names, detections["labels"] + 1)}

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serve", serve, input_signature=[tf.TensorSpec((None, *model.input.shape[1:]), tf.float32, name="images")]
    )
    with new_folder(Path(folder).parent) as temporary:
        archive.write_out(temporary / "files", verbose=False)
        shutil.rmtree(folder, ignore_errors=True)
        (temporary / "files").rename(folder)
