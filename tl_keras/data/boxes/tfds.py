"""Images with boxes of TensorFlow Datasets: by name, or from a folder that it has prepared."""

import tensorflow_datasets as tfds

from tl_keras.data.boxes.checks import DrawnBox, DrawnImage, check_boxes
from tl_keras.data.data_errors import Faults
from tl_keras.data.reading.tfds_source import open_builder
from tl_keras.data.records import split_of_name
from tl_keras.errors import InputError

_LEFT_OUT = ("is_crowd", "is_difficult")


def read_tfds_boxes(place, *, on_bad_box="error", on_bad_file="error"):
    """Reads the images and boxes of a data set whose `objects` have `bbox` and `label`, such as voc or coco.

    Args:
        place: `Place` of the form "tfds" or "prepared", as in `read_images`.
        on_bad_box: "error" or "skip", as in `check_boxes`.
        on_bad_file: as said.

    Returns:
        `BoxRecords` whose sources are the encoded images (they are held in memory, undecoded). Crowds and what is
        marked as difficult are left out, with a note.

    Raises:
        InputError: the data are neither here nor to be had, or have no image or no boxes with labels.
    """
    builder, name = open_builder(place)
    image_key, objects_key, label_names = _keys(builder, name)
    images, left_out = [], 0
    for part in builder.info.splits:
        # Decoding images is left to our own reader, which checks every one and does it once.
        decoders = {image_key: tfds.decode.SkipDecoding()}
        dataset = builder.as_dataset(split=part, decoders=decoders, shuffle_files=False)
        for row, example in enumerate(tfds.as_numpy(dataset)):
            objects = example[objects_key]
            image = DrawnImage(example[image_key], f"{part}/{row}", split_of_name(part) or "")
            for number, (box, label) in enumerate(zip(objects["bbox"], objects["label"], strict=True)):
                if any(objects[mark][number] for mark in _LEFT_OUT if mark in objects):
                    left_out += 1
                elif label >= 0:
                    place_of_box = f"{part}/{row} box {number + 1}"
                    image.boxes.append(DrawnBox(tuple(map(float, box)), label_names[label], place_of_box))
            images.append(image)
    return check_boxes(
        images,
        Faults(name),
        class_names=tuple(label_names),
        box_format="relative_yxyx",
        on_bad_box=on_bad_box,
        on_bad_file=on_bad_file,
        notes=[f"Left out {left_out:,} boxes of crowds or marked as difficult."] if left_out else [],
    )


def _keys(builder, name):
    """Returns the key of the images, that of the objects, and the names of their labels."""
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
