"""Exports of classifiers as SavedModels for servers: batches in, probabilities and class names out."""

import importlib.util

import keras
import tensorflow as tf

from tl_keras.exporting.image_files import decode_image
from tl_keras.exporting.tensor_function import IMAGES, PROBABILITIES, TEXT
from tl_keras.models.texts.encoder_inputs import is_text_model

CLASS_NAMES = "class_names"
ENCODED = "encoded_images"
IMAGE_BYTES = "image_bytes"
"""Input of the signature `ENCODED`; TensorFlow Serving decodes base64 only for names that end in _bytes."""
SERVING = "serving_default"


def write_saved_model(model, path, class_names, resize):
    """Writes a classifier as a SavedModel of plain TensorFlow operations.

    The signature `serving_default` takes `images`, float32 (batch, side, side, 3), RGB, 0 to 255, or `text`, strings
    (batch,), for pairs also `text_pair`. It returns `probabilities` and `class_names`, both (batch, num_classes). For
    images the signature `encoded_images` takes `image_bytes`, the content of JPEG, PNG, GIF or BMP files of any size.

    Args:
        model: `keras.Model` of a run that classifies.
        path: folder to write.
        class_names: names of the classes.
        resize: one of `RESIZES`, as in training; texts need none.
    """
    names = tf.constant(list(class_names))

    def classify(inputs):
        probabilities = model(inputs if isinstance(model.input, dict) else next(iter(inputs.values())), training=False)
        return {PROBABILITIES: probabilities, CLASS_NAMES: tf.broadcast_to(names, tf.shape(probabilities))}

    def classify_encoded(inputs):
        decode = lambda content: decode_image(content, model.input.shape[1], resize)  # noqa: E731 (for map_fn alone)
        return classify({IMAGES: tf.map_fn(decode, inputs[IMAGE_BYTES], fn_output_signature=tf.float32)})

    archive = keras.export.ExportArchive()
    archive.track(model)
    if is_text_model(model):
        texts = model.input if isinstance(model.input, dict) else {TEXT: model.input}
        archive.add_endpoint("serve", classify, [{name: tf.TensorSpec((None,), tf.string, name) for name in texts}])
    else:
        archive.add_endpoint("serve", classify, [{IMAGES: tf.TensorSpec(model.input.shape, tf.float32, IMAGES)}])
        archive.add_endpoint(ENCODED, classify_encoded, [{IMAGE_BYTES: tf.TensorSpec((None,), tf.string, IMAGE_BYTES)}])
    archive.write_out(path, verbose=False)


def open_saved_model(path):
    """Opens a SavedModel.

    Args:
        path: its folder.

    Returns:
        Function from a dict of named arrays, or of lists of str, to a dict of named arrays.
    """
    # Registers the operations of tokenizers; there is no build for Windows.
    if importlib.util.find_spec("tensorflow_text"):
        importlib.import_module("tensorflow_text")
    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures[SERVING]

    def run(inputs):
        outputs = serve(**{name: tf.constant(values) for name, values in inputs.items()})
        return {name: values.numpy() for name, values in outputs.items()}

    # Without a reference the variables would be deleted.
    run.loaded = loaded
    return run
