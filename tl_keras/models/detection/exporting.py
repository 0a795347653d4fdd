"""Detectors for programs that know neither Keras nor this project."""

import shutil
from pathlib import Path

import keras
import tensorflow as tf

NOTHING = ""
"""Class name of the padding."""


def export_detector(model, class_names, folder):
    """Writes a detector as a SavedModel, whose layers are plain operations of TensorFlow.

    `tf.saved_model.load(folder).serve(images)`, and whatever else reads a SavedModel, takes float32 (batch, image_size,
    image_size, 3), RGB, 0 to 255, and gives a dict: what `Detector.decode` does, and `class_names`, string (batch,
    max_detections), empty for padding.

    Args:
        model: `inference_model` of a `Detector`.
        class_names: sequence of names in the order of the labels.
        folder: path of the folder to write; one that is there is replaced.
    """
    # The names go in through the graph: their place 0 is that of label -1, the padding.
    names = tf.constant([NOTHING, *class_names])

    def serve(images):
        found = model(images, training=False)
        return {**found, "class_names": tf.gather(names, found["labels"] + 1)}

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serve", serve, input_signature=[tf.TensorSpec((None, *model.input.shape[1:]), tf.float32, name="images")]
    )
    new = Path(folder).with_name(f".new-{Path(folder).name}")
    shutil.rmtree(new, ignore_errors=True)
    archive.write_out(new, verbose=False)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
