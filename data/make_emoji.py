"""Creates `data/emoji`, the emoji that are shipped with tl_keras, from an unpacked npm package.

    npm pack emoji-datasource-google@16.0.0 && tar xzf emoji-datasource-google-16.0.0.tgz
    python data/make_emoji.py package data/emoji

With `twitter` in place of `google` and with `--vendor twitter`, it creates `data/emoji_twitter`.

The result is a pure function of the package: the images are copied byte for byte, only selected and renamed.
"""

import argparse
import json
import re
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

# Kind and its subcategories of emoji.json.
KINDS = {
    "animal": (
        "animal-amphibian",
        "animal-bird",
        "animal-bug",
        "animal-mammal",
        "animal-marine",
        "animal-reptile",
    ),
    "building": ("place-building", "place-religious"),
    "clothing": ("clothing",),
    "face": (
        "face-affection",
        "face-concerned",
        "face-glasses",
        "face-hand",
        "face-hat",
        "face-negative",
        "face-neutral-skeptical",
        "face-sleepy",
        "face-smiling",
        "face-tongue",
        "face-unwell",
    ),
    "flag": ("country-flag", "subdivision-flag"),
    "fruit_vegetable": ("food-fruit", "food-vegetable"),
    "hand": (
        "hand-fingers-closed",
        "hand-fingers-open",
        "hand-fingers-partial",
        "hand-prop",
        "hand-single-finger",
        "hands",
    ),
    "meal": ("food-asian", "food-prepared", "food-sweet"),
    "person": (
        "person",
        "person-activity",
        "person-fantasy",
        "person-gesture",
        "person-resting",
        "person-role",
        "person-sport",
    ),
    "plant": ("plant-flower", "plant-other"),
    "tool": ("dishware", "household", "light & video", "lock", "medical", "office", "science", "tool", "writing"),
    "vehicle": ("transport-air", "transport-ground", "transport-water"),
}

# Emoji of these subcategories that people would not call by the name of the kind.
NOT_OF_KIND = {
    "animal": "feather wing microbe spider_web feet pig_nose shell coral",
    "building": "building_construction bricks rock wood statue_of_liberty",
    "clothing": "gem ring prayer_beads lipstick folding_hand_fan hair_pick shopping_bags",
    "face": "skull skull_and_crossbones",
    "flag": "",
    "fruit_vegetable": "",
    "hand": "nail_care selfie",
    "meal": "salt honey_pot",
    "person": "sleeping_accommodation",
    "plant": "empty_nest nest_with_eggs rosette white_flower",
    "tool": (
        "adhesive_bandage amphora bar_chart basket bathtub bed bomb briefcase broken_chain bubbles bucket calendar "
        "camera camera_with_flash candle card_file_box card_index card_index_dividers chair chains "
        "chart_with_downwards_trend chart_with_upwards_trend clapper clipboard coffin couch_and_lamp date "
        "diya_lamp dna door drop_of_blood elevator file_cabinet file_folder film_frames film_projector "
        "izakaya_lantern jar knife_fork_plate lotion_bottle mag_right memo mirror movie_camera open_file_folder "
        "petri_dish pill roll_of_paper satellite_antenna shield shopping_trolley shower soap spiral_calendar_pad "
        "spiral_note_pad toilet tv vhs video_camera wastebasket window x-ray"
    ),
    "vehicle": (
        "seat satellite station busstop traffic_light vertical_traffic_light construction rotating_light "
        "octagonal_sign wheel oil_drum motorway railway_track fuelpump ring_buoy anchor parachute skateboard "
        "roller_skate"
    ),
}

# Every second flag is enough; all flags would be a quarter of the set.
STRIDES = {"flag": 2}

# Code points of female, male and right-facing variants, which look nearly like the neutral emoji.
VARIANT = re.compile(r"2640|2642|27A1|^1F46[89]-200D")

# Images with a smaller mean absolute difference, 0 to 255, count as duplicates (flags of territories).
MIN_DIFFERENCE = 4.0


def pixels(path):
    """Returns an image on white as int16 (height, width, 3)."""
    image = Image.open(path).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(white, image).convert("RGB"), np.int16)


def select_emoji(records, kind, vendor):
    """Lists the records of a kind, in the order of their short names."""
    excluded = NOT_OF_KIND[kind].split()
    selected = [
        record
        for record in records
        if record["subcategory"] in KINDS[kind]
        and record[f"has_img_{vendor}"]
        and record["short_name"] not in excluded
        and not VARIANT.search(record["unified"])
    ]
    return sorted(selected, key=lambda record: record["short_name"])[:: STRIDES.get(kind, 1)]


def write_kind(package, target, records, kind, vendor):
    """Copies the images of one kind without duplicates, and returns their number."""
    folder = target / kind
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    images = []
    for record in select_emoji(records, kind, vendor):
        source = package / "img" / vendor / "64" / record["image"]
        image = pixels(source)
        if any(np.abs(image - other).mean() < MIN_DIFFERENCE for other in images):
            continue
        images.append(image)
        shutil.copyfile(source, folder / f"{record['short_name'].replace('-', '_')}.png")
    return len(images)


def main():
    """Writes all kinds and prints the number of images of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the unpacked npm package")
    parser.add_argument("target", type=Path, help="the folder to write, such as data/emoji")
    parser.add_argument(
        "--vendor", choices=("google", "twitter"), default="google", help="vendor of the drawings (default: google)"
    )
    arguments = parser.parse_args()
    records = json.loads((arguments.package / "emoji.json").read_text(encoding="utf-8"))
    for kind in sorted(KINDS):
        print(f"{kind:16} {write_kind(arguments.package, arguments.target, records, kind, arguments.vendor)}")


if __name__ == "__main__":
    main()
