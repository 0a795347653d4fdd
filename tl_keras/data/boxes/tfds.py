"""Images with boxes of TensorFlow Datasets. Importing this module loads that library."""

import tensorflow_datasets as tfds

from tl_keras.data.boxes.checks import Annotations, BoxAnnotation, ImageAnnotation
from tl_keras.data.data_errors import Faults
from tl_keras.data.reading.tfds_source import check_label, open_builder, read_examples
from tl_keras.errors import InputError, counted

_MARKS = ("is_crowd", "is_difficult")


def read_tfds_boxes(location):
    """Reads a data set of images whose objects have `bbox` and `label`, such as voc or coco.

    Args:
        location: `Location` of the form "tfds" or "prepared", as in `open_builder`.

    Returns:
        `Annotations` whose sources are the encoded images (they are held in memory, undecoded). Boxes of crowds or
        marked as difficult are left out, with a note.

    Raises:
        InputError: as in `open_builder`, or the data set has no image or no boxes with labels.
    """
    builder, name = open_builder(location)
    image_key, objects_key, label_names = _keys(builder, name)
    images, num_left_out = [], 0
    for image_name, split, example in read_examples(builder, {image_key: tfds.decode.SkipDecoding()}):
        objects = example[objects_key]
        image = ImageAnnotation(example[image_key], image_name, split)
        for number, (box, label) in enumerate(zip(objects["bbox"], objects["label"], strict=True)):
            if any(objects[mark][number] for mark in _MARKS if mark in objects):
                num_left_out += 1
            elif label >= 0:
                check_label(label, label_names, builder)
                box_place = f"{image_name} box {number + 1}"
                image.boxes.append(BoxAnnotation(tuple(map(float, box)), label_names[label], box_place))
        images.append(image)
    notes = [f"Left out {counted(num_left_out, 'box')} of crowds or marked as difficult."] if num_left_out else []
    return Annotations(images, Faults(name), tuple(label_names), "relative_yxyx", notes)


def _keys(builder, name):
    """Returns the key of the images, the key of the objects and the names of their labels."""
    features = dict(sorted(builder.info.features.items()))
    images = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
    for key, feature in features.items():
        parts = getattr(feature, "feature", None)
        labels = parts["label"] if isinstance(parts, tfds.features.FeaturesDict) and "label" in parts else None
        if images and isinstance(labels, tfds.features.ClassLabel) and "bbox" in parts:
            return ("image" if "image" in images else images[0]), key, labels.names
    raise InputError(
        f"{name} has the features {', '.join(features)}: expected an image, and objects with bbox and label; choose "
        "another data set."
    )
