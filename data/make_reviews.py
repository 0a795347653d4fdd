"""Creates `data/reviews`, the texts that are shipped with tl_keras, from the package `vaderSentiment` 0.5.

    pip download --no-deps --no-binary :all: vaderSentiment==0.5
    python data/make_reviews.py vaderSentiment-0.5.zip data/reviews

The result is a pure function of the package: ratings become labels, duplicate texts are removed, nothing else changes.
"""

import argparse
import csv
import hashlib
import html
import io
import random
import re
import tarfile
import zipfile
from pathlib import Path

PACKAGE_SHA256 = "5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a"
INNER = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz"
LICENSE = "vaderSentiment-0.5/LICENSE.txt"
SOURCES = {
    "product_reviews.csv": "hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt",
    "movie_reviews.csv": "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt",
}

# Minimum absolute mean of the ratings of some twenty people, -4 to 4. Others are neutral, or the people disagreed.
MIN_RATING = 1.0

# There are three times more movie reviews than needed for a small download.
MAX_PER_LABEL = 2000
SEED = 0


def same_text(text):
    """Returns a text without case and punctuation, the key for duplicates."""
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def rated_texts(lines, known=()):
    """Lists (text, label) of the lines "id <tab> rating <tab> text" with a clear rating and at least one word.

    Duplicates, which differ in case and punctuation only, are removed except the first; all of them if their labels
    differ or their key is in `known`. So no test text is a training text.
    """
    rows, labels = {}, {}
    for line in lines:
        _, rating, text = line.split("\t")
        # Escaped twice in places: "at &amp;#38; t".
        text = " ".join(html.unescape(html.unescape(text)).split())
        key = same_text(text)
        if key and key not in known and abs(float(rating)) >= MIN_RATING:
            label = "positive" if float(rating) > 0 else "negative"
            rows.setdefault(key, (text, label))
            labels.setdefault(key, set()).add(label)
    return [rows[key] for key in rows if len(labels[key]) == 1]


def sample_per_label(rows, max_rows):
    """Returns at most `max_rows` rows of each label, drawn with `SEED`, in their original order."""
    generator = random.Random(SEED)
    sampled = set()
    for label in sorted({label for _, label in rows}):
        numbers = [number for number, row in enumerate(rows) if row[1] == label]
        sampled.update(generator.sample(numbers, min(max_rows, len(numbers))))
    return [rows[number] for number in sorted(sampled)]


def write_reviews(package, target):
    """Writes the tables and the licence; returns the number of rows of each table.

    Args:
        package: path of the source distribution, a zip file.
        target: the folder to write into.
    """
    target.mkdir(parents=True, exist_ok=True)
    counts, known = {}, set()
    with zipfile.ZipFile(package) as outer, tarfile.open(fileobj=io.BytesIO(outer.read(INNER))) as inner:
        (target / "LICENSE").write_text(outer.read(LICENSE).decode("utf-8").replace("\r\n", "\n"), encoding="utf-8")
        for name, source in SOURCES.items():
            lines = inner.extractfile(source).read().decode("utf-8").split("\n")
            rows = sample_per_label(rated_texts((line for line in lines if line.strip()), known), MAX_PER_LABEL)
            known.update(same_text(text) for text, _ in rows)
            with open(target / name, "w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([("text", "label"), *rows])
            counts[name] = len(rows)
    return counts


def main():
    """Writes the tables and prints the number of rows of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the source distribution, vaderSentiment-0.5.zip")
    parser.add_argument("target", type=Path, help="the folder to write, such as data/reviews")
    arguments = parser.parse_args()
    if hashlib.sha256(arguments.package.read_bytes()).hexdigest() != PACKAGE_SHA256:
        parser.error(f"{arguments.package} is not the expected package: expected SHA-256 {PACKAGE_SHA256}.")
    for name, count in write_reviews(arguments.package, arguments.target).items():
        print(f"{name:20} {count}")


if __name__ == "__main__":
    main()
