import csv
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tl_keras.data.examples import catalogue as examples
from tl_keras.data.examples.catalogue import TEXT_EXAMPLES, example_path
from tl_keras.errors import InputError


@pytest.mark.parametrize("name", examples._PLACES)
def test_shipped_examples_have_a_licence_and_a_readme(name):
    path = example_path(name)
    folder = path if path.is_dir() else path.parent
    assert (folder / "LICENSE").is_file() and (folder / "README.md").is_file()


def test_unknown_example_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'emoji'"):
        example_path("emojis")


def test_examples_of_an_installation_are_found(tmp_path, monkeypatch):
    installed = tmp_path / "share" / "tl_keras" / "data" / "emoji"
    installed.mkdir(parents=True)
    monkeypatch.setattr(examples, "__file__", str(tmp_path / "site-packages" / "tl_keras" / "data" / "examples.py"))
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    assert example_path("emoji") == installed


def test_a_missing_example_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "__file__", str(tmp_path / "a" / "b" / "c" / "examples.py"))
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    with pytest.raises(InputError, match="not installed"):
        example_path("emoji")


def test_the_emoji_readme_counts_the_images_of_each_kind():
    folder = example_path("emoji")
    readme = (folder / "README.md").read_text(encoding="utf-8")
    kinds = sorted(path for path in folder.iterdir() if path.is_dir())
    assert len(kinds) == 12
    for kind in kinds:
        assert f"| {kind.name} | {len(list(kind.glob('*.png')))} |" in readme


def test_emoji_have_no_duplicates():
    images = [path.read_bytes() for path in example_path("emoji").rglob("*.png")]
    assert len(set(images)) == len(images)


def _script(name):
    path = Path(__file__).parents[3] / "data" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_emoji_script_leaves_out_duplicates_variants_and_other_groups(tmp_path):
    images = tmp_path / "img" / "google" / "64"
    images.mkdir(parents=True)
    records = []
    # Runner and man-running are one person, jog looks like runner, selfie is no hand.
    for name, code, group, value in (
        ("runner", "1F3C3", "person-activity", 0),
        ("man-running", "1F3C3-200D-2642-FE0F", "person-activity", 200),
        ("jog", "1F3C4", "person-activity", 1),
        ("standing-person", "1F9CD", "person-activity", 100),
        ("selfie", "1F933", "hand-prop", 50),
    ):
        Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(images / f"{code}.png")
        records.append(
            {
                "short_name": name,
                "unified": code,
                "subcategory": group,
                "image": f"{code}.png",
                "has_img_google": True,
            }
        )
    make_emoji = _script("make_emoji")
    assert make_emoji.write_kind(tmp_path, tmp_path / "out", records, "person", "google") == 2
    assert make_emoji.write_kind(tmp_path, tmp_path / "out", records, "hand", "google") == 0
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.png")) == ["jog.png", "standing_person.png"]


def _reviews(name):
    with open(example_path(name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", TEXT_EXAMPLES)
def test_the_descriptions_of_the_reviews_are_right(name):
    rows = _reviews(name)
    counts = [sum(row["label"] == label for row in rows) for label in ("positive", "negative")]
    readme = (example_path(name).parent / "README.md").read_text(encoding="utf-8")
    assert f"| `{name}` | `{example_path(name).name}` | {counts[0]} | {counts[1]} |" in readme
    assert TEXT_EXAMPLES[name].startswith(f"{sum(counts):,} sentences") and sum(counts) == len(rows)


def test_reviews_have_no_duplicates():
    texts = [re.sub(r"[\W_]+", " ", row["text"].lower()).strip() for name in TEXT_EXAMPLES for row in _reviews(name)]
    assert len(set(texts)) == len(texts) and all(texts)


def test_the_review_script_leaves_out_unclear_and_repeated_sentences():
    make_reviews = _script("make_reviews")
    lines = [
        "1\t1.0\tGood &amp;#38;  cheap !\r",
        "2\t0.9\tso so",
        "3\t-2\tgood & cheap?",
        "4\t-1\tBad.",
        "5\t-3\tbad",
        "6\t-3\t...",
    ]
    assert make_reviews.rated_texts(lines) == [("Bad.", "negative")]
    rows = [(str(number), "ab"[number % 2]) for number in range(20)]
    some = make_reviews.sample_per_label(rows, 3)
    assert len(some) == 6 and some == sorted(some, key=rows.index) and some == make_reviews.sample_per_label(rows, 3)
