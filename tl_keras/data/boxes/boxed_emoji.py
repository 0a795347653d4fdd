"""Detection data set of emoji on photographs with exact boxes, created from a seed on first use.

The emoji are those of the example "emoji" (Noto Emoji, Apache License 2.0), the photographs scikit-learn's two sample
images (a temple and a flower, CC BY 2.0). Training, validation and test images have different emoji of the same kinds;
validation and test images show other parts of the photographs than training images.
"""

import importlib

import numpy as np
from PIL import Image, ImageEnhance

from tl_keras.data.boxes.coco_writing import write_coco
from tl_keras.data.boxes.records import BoxRecords
from tl_keras.data.examples.catalogue import example_path
from tl_keras.data.images.encoding import encode_png

KINDS = ("animal", "face", "flag", "fruit_vegetable", "vehicle")
COUNTS = {"train": 400, "validation": 60, "test": 100}
IMAGE_SIZE = 256
MAX_OBJECTS = 6

# Ranges of the emoji of a kind, and of the width of the photographs, for each split, as fractions.
_SHARES = {"train": (0.0, 0.7), "validation": (0.7, 0.85), "test": (0.85, 1.0)}
_REGIONS = {"train": (0.0, 0.6), "validation": (0.6, 1.0), "test": (0.6, 1.0)}
_SIZES, _DEGREES = (36, 84), 15
# Maximum fraction of an object that another one may hide, so that its box stays exact; tries to place an object.
_MAX_HIDDEN, _MAX_TRIES = 0.05, 20


def write_boxed_emoji(folder, *, counts=None, image_size=IMAGE_SIZE, seed=0):
    """Creates the images and writes them as a folder in COCO's format.

    Args:
        folder: `Path` of the folder to create.
        counts: dict from split to number of images; None: `COUNTS`.
        image_size: height and width in pixels.
        seed: int; the same seed gives the same images.

    Raises:
        InputError: the emoji are not installed.
    """
    # Imported here because scikit-learn is needed only once, to create the data.
    photographs = importlib.import_module("sklearn.datasets").load_sample_images().images
    generator = np.random.default_rng(seed)
    emoji = {kind: generator.permutation(sorted(example_path("emoji").glob(f"{kind}/*.png"))) for kind in KINDS}
    scenes = []
    for split, count in (counts or COUNTS).items():
        emoji_of_split = {kind: _part(files, _SHARES[split]) for kind, files in emoji.items()}
        for _ in range(count):
            image = _background(generator, photographs, _REGIONS[split], image_size)
            boxes, labels = _paste_emoji(generator, image, emoji_of_split)
            boxes, labels = np.array(boxes, "float32").reshape(-1, 4), np.array(labels, "int32")
            scenes.append((encode_png(image), boxes, labels, split))
    sources, boxes, labels, splits = (list(column) for column in zip(*scenes, strict=True))
    sizes = np.full((len(scenes), 2), image_size, np.int32)
    names = [str(row) for row in range(len(scenes))]
    write_coco(BoxRecords(sources, names, labels, splits, KINDS, boxes=boxes, sizes=sizes), folder)


def _part(items, share):
    first, last = (round(part * len(items)) for part in share)
    return items[first:last]


def _background(generator, photographs, region, image_size):
    photograph = photographs[generator.integers(len(photographs))]
    left, right = (round(part * photograph.shape[1]) for part in region)
    photograph = photograph[:, left:right]
    height, width = photograph.shape[:2]
    side = round(generator.uniform(0.5, 1.0) * min(height, width))
    top, left = generator.integers(height - side + 1), generator.integers(width - side + 1)
    crop = photograph[top : top + side, left : left + side]
    crop = crop[:, ::-1] if generator.random() < 0.5 else crop
    image = Image.fromarray(np.ascontiguousarray(crop)).resize((image_size, image_size), Image.Resampling.BILINEAR)
    return ImageEnhance.Brightness(image).enhance(generator.uniform(0.7, 1.2))


def _paste_emoji(generator, image, emoji):
    """Pastes up to `MAX_OBJECTS` emoji into an image; returns their boxes and labels."""
    boxes, labels = [], []
    for _ in range(generator.integers(MAX_OBJECTS + 1)):
        label = int(generator.integers(len(KINDS)))
        files = emoji[KINDS[label]]
        cutout = _cutout(generator, files[generator.integers(len(files))])
        for _ in range(_MAX_TRIES):
            left, top = (int(generator.integers(max(1, image.width - side + 1))) for side in cutout.size)
            box = (left, top, left + cutout.width, top + cutout.height)
            if all(_hidden_fraction(box, other) <= _MAX_HIDDEN for other in boxes):
                image.paste(cutout, (left, top), cutout)
                boxes.append(box)
                labels.append(label)
                break
    return boxes, labels


def _cutout(generator, file):
    """Returns an emoji, rotated and resized, cropped to its visible pixels."""
    with Image.open(file) as image:
        image = image.convert("RGBA")
    side = round(generator.uniform(*_SIZES))
    image = image.resize((side, side), Image.Resampling.BICUBIC)
    image = image.rotate(generator.uniform(-_DEGREES, _DEGREES), Image.Resampling.BICUBIC, expand=True)
    opaque = image.getchannel("A").point(lambda alpha: 255 * (alpha >= 128))
    return image.crop(opaque.getbbox())


def _hidden_fraction(box, other):
    """Returns the intersection of two boxes as a fraction of the area of the smaller one."""
    width, height = (min(box[end], other[end]) - max(box[end - 2], other[end - 2]) for end in (2, 3))
    areas = [(right - left) * (bottom - top) for left, top, right, bottom in (box, other)]
    return max(0, width) * max(0, height) / min(areas)
