"""Image sets of the benchmark, from packages with free licences."""

import io
import json

import numpy as np
from defusedxml import ElementTree
from PIL import Image, ImageDraw, ImageFont

from few_label_suite.examples import Example
from few_label_suite.packages import Package, read_member
from tl_keras.data.examples.catalogue import example_path

CROWNS = Package("deepforest==2.1.0", "8c2798d8e9be7f0004b194fe207b76c1d9fff6e711b3db67b9508dcd5d00ae54")
PHOTOGRAPHS = Package(
    "scikit-image==0.26.0",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    # The images are the same for every platform, the digest is that of one file.
    ("--only-binary", ":all:", "--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"),
)
ICONS = Package("@tabler/icons@3.49.0", "aa3042907eb0bdb079fd70733e2d75f785683d4726279128a0ca2343099f7074")
ICON_FONT = Package("@tabler/icons-webfont@3.49.0", "48c69c65a5f9013d482a17cab8899a09dcaec50750d1ac7324eb63a061fffb82")

CROWN_SIDE = 64
# The first photograph is for training, the second for testing.
CROWN_PHOTOGRAPHS = {
    "train": "2019_YELL_2_528000_4978000_image_crop2",
    "test": "2019_YELL_2_541000_4977000_image_crop",
}
TEXTURE_SIDE = 32
TEXTURES = {
    "brick": "brick.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "fur": "chelsea.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "moon": "moon.png",
    "retina": "retina.jpg",
    "stars": "hubble_deep_field.jpg",
    "tissue": "ihc.png",
}
MIN_CONTRAST = 4
"""Smallest standard deviation of the pixels of a texture, 0 to 255; others are blank."""
ICON_SIDE = 64
ICON_KINDS = ("Arrows", "Buildings", "Currencies", "Devices", "Food", "Health", "Map", "Sport", "Vehicles", "Weather")
ICON_VARIANTS = {"bolt", "cancel", "check", "code", "cog", "dollar", "exclamation", "heart", "minus", "off", "pause"}
ICON_VARIANTS |= {"pin", "plus", "question", "search", "share", "star", "x"}


def read_class_folder(name):
    """Reads a data set of class folders that is shipped with tl_keras or created by it.

    Args:
        name: such as "emoji".

    Returns:
        List of `Example`.
    """
    paths = sorted(example_path(name).glob("*/*.png"))
    images = ((_on_white(Image.open(path)), path.parent.name) for path in paths)
    # Identical images are one group, so that no test image is a training image.
    return [Example(image, label, image.tobytes()) for image, label in images]


def _on_white(image):
    """Replaces transparent parts, which contenders would read differently."""
    if image.mode != "RGBA":
        return image.copy()
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def cut_tree_crowns():
    """Cuts two aerial photographs of forest into squares with one tree crown in the middle, and squares without.

    Returns:
        List of `Example` of 64 x 64 pixels; the two sides of the split are different photographs.
    """
    examples = []
    for split, name in CROWN_PHOTOGRAPHS.items():
        photograph = Image.open(io.BytesIO(read_member(CROWNS, f"deepforest/data/{name}.png"))).convert("RGB")
        annotation = ElementTree.fromstring(read_member(CROWNS, f"deepforest/data/{name}.xml"))
        corners = ("xmin", "ymin", "xmax", "ymax")
        boxes = np.array([[int(box.findtext(c)) for c in corners] for box in annotation.iter("bndbox")])
        squares = {"crown": _squares_around(boxes), "no_crown": _squares_between(boxes, photograph.size)}
        for label, rows in squares.items():
            crops = [photograph.crop(tuple(row)).resize((CROWN_SIDE, CROWN_SIDE)) for row in rows.tolist()]
            examples += [Example(crop, label, f"{name}-{number}", split) for number, crop in enumerate(crops)]
    return examples


def _squares_around(boxes):
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    centers = (boxes[:, 2:] + boxes[:, :2]) / 2
    return np.concatenate([centers - half, centers + half], axis=1).astype(int)


def _squares_between(boxes, size):
    """Draws as many squares of the sizes of the boxes, of which no part is inside a box."""
    generator = np.random.default_rng(0)
    squares = []
    sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    while len(squares) < len(boxes):
        side = generator.choice(sides)
        corner = generator.integers(0, np.array(size) - side)
        square = np.concatenate([corner, corner + side])
        apart = (boxes[:, :2] >= square[2:]) | (boxes[:, 2:] <= square[:2])
        if apart.any(axis=1).all():
            squares.append(square)
    return np.array(squares)


def cut_textures():
    """Cuts ten photographs into grey squares of 32 x 32 pixels, whose class is the photograph.

    Returns:
        List of `Example`; the right part of each photograph is for testing.
    """
    examples = []
    for label, file in TEXTURES.items():
        image = Image.open(io.BytesIO(read_member(PHOTOGRAPHS, f"skimage/data/{file}"))).convert("L")
        for left in range(0, image.width - TEXTURE_SIDE + 1, TEXTURE_SIDE):
            for top in range(0, image.height - TEXTURE_SIDE + 1, TEXTURE_SIDE):
                square = image.crop((left, top, left + TEXTURE_SIDE, top + TEXTURE_SIDE))
                if np.asarray(square).std() >= MIN_CONTRAST:
                    split = "train" if left < 0.6 * image.width else "test"
                    examples.append(Example(square, label, f"{left}-{top}", split))
    return examples


def draw_icons():
    """Draws line icons of ten kinds, black on white.

    Returns:
        List of `Example`, without variants of another icon, such as "building-off".
    """
    font_name = "package/dist/fonts/tabler-icons.ttf"
    font = ImageFont.truetype(io.BytesIO(read_member(ICON_FONT, font_name)), ICON_SIDE - 8)
    records = json.loads(read_member(ICONS, "package/icons.json"))
    chosen = {name: record for name, record in records.items() if _is_chosen(name, record, records)}
    return [Example(_draw(record, font), record["category"].lower(), name) for name, record in chosen.items()]


def _is_chosen(name, record, records):
    base, _, variant = name.rpartition("-")
    is_variant = variant in ICON_VARIANTS and base in records
    return record["category"] in ICON_KINDS and "outline" in record["styles"] and not is_variant


def _draw(record, font):
    image = Image.new("L", (ICON_SIDE, ICON_SIDE), "white")
    glyph = chr(int(record["styles"]["outline"]["unicode"], 16))
    ImageDraw.Draw(image).text((ICON_SIDE // 2, ICON_SIDE // 2), glyph, "black", font, anchor="mm")
    return image
