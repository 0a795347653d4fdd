"""Makes the emoji that ship with tl_keras from an unpacked npm package: `data/emoji`, or the same by another vendor.

    npm pack emoji-datasource-google@16.0.0 && tar xzf emoji-datasource-google-16.0.0.tgz
    python data/make_emoji.py package data/emoji

and with `twitter` in place of `google` and `--vendor twitter`, `data/emoji_twitter`.

The result is a pure function of the package: the pictures are copied byte for byte, only chosen and renamed.
"""

import argparse
import json
import re
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

# kind -> subcategories of emoji.json that it is made of
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

# What a subcategory holds that a person would not call by the name of the kind.
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

# Every second flag is enough: all of them would be a quarter of the set.
STRIDES = {"flag": 2}

# The woman, the man and the one who faces right of what also exists as a person: nearly the same picture again.
VARIANT = re.compile(r"2640|2642|27A1|^1F46[89]-200D")

# Mean absolute difference of two pictures, 0 to 255, under which they count as the same one (flags of territories).
SAME_PICTURE = 4.0


def pixels(path):
    """Returns the picture on white as int16 (height, width, 3)."""
    picture = Image.open(path).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB"), np.int16)


def chosen_emoji(records, kind, vendor):
    """Lists the records of a kind, in the order of their short names."""
    unwanted = NOT_OF_KIND[kind].split()
    chosen = [
        record
        for record in records
        if record["subcategory"] in KINDS[kind]
        and record[f"has_img_{vendor}"]
        and record["short_name"] not in unwanted
        and not VARIANT.search(record["unified"])
    ]
    return sorted(chosen, key=lambda record: record["short_name"])[:: STRIDES.get(kind, 1)]


def write_kind(package, target, records, kind, vendor):
    """Copies the pictures of one kind, without repeated ones, and returns their number."""
    folder = target / kind
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    kept = []
    for record in chosen_emoji(records, kind, vendor):
        source = package / "img" / vendor / "64" / record["image"]
        picture = pixels(source)
        if any(np.abs(picture - other).mean() < SAME_PICTURE for other in kept):
            continue
        kept.append(picture)
        shutil.copyfile(source, folder / f"{record['short_name'].replace('-', '_')}.png")
    return len(kept)


def main():
    """Writes every kind and prints how many pictures it has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the unpacked npm package")
    parser.add_argument("target", type=Path, help="the folder to write, such as data/emoji")
    parser.add_argument("--vendor", choices=("google", "twitter"), default="google", help="whose drawings (google)")
    arguments = parser.parse_args()
    records = json.loads((arguments.package / "emoji.json").read_text(encoding="utf-8"))
    for kind in sorted(KINDS):
        print(f"{kind:16} {write_kind(arguments.package, arguments.target, records, kind, arguments.vendor)}")


if __name__ == "__main__":
    main()
