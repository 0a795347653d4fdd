"""Every code block of README and docs runs as it is printed, on small data of the names that it mentions."""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import COLOURS
from tl_keras.exporting.formats import FORMATS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"python -m (tl_keras\.\w+) (.*)")
DOCUMENTS = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
BLOCKS = [
    pytest.param(document, kind, code, id=f"{document}-{number}")
    for document in DOCUMENTS
    for number, (kind, code) in enumerate(BLOCK.findall((ROOT / document).read_text(encoding="utf-8")), start=1)
    # tests/test_documents.py runs the Python of the README, .ci/run its first two commands, and the test of the page of
    # runs, which stays open, clicks through it.
    if not (document == "README.md" and (kind == "python" or number == 1)) and document != "docs/demo.md"
]
FEW_IMAGES = ["--data.max_train_images", "4", "--data.batch_size", "2", "--phases", "[{train: neck, epochs: 1}]"]
FEW = {
    "sentiment": ["--data.examples_per_class", "4", "--epochs", "4"],
    "detection": FEW_IMAGES,
    "boxes": [*FEW_IMAGES, "--data.image_size", "128"],
}
"""Flags that shorten the trainings of shipped configurations, which test_journeys.py tests, and of detectors."""
PACKAGES = {
    "docs/export.md": tuple(module for one in FORMATS.values() for module, _ in one.packages),
    "docs/python.md": ("tf2onnx", "onnxruntime"),
    "docs/tracking.md": ("tensorboard", "mlflow", "wandb"),
}
"""Modules of extras that the blocks of a document need."""
ONE_CELL = ["--methods", "solved_head,scratch", "--budgets", "5", "--draws", "1"]
ONE_DETECTOR = ["--methods", "scratch", "--budgets", "2", "--draws", "1", "--epochs", "2", "--data.image_size", "64"]
"""Flags that shorten a comparison: repeated flags count as given last."""
BOXES = ["--task", "object_detection", "--data.path", "boxes", *FEW["boxes"]]
RUNS = {
    "photos": ["photos"],
    "emoji": ["data/emoji", "--data.examples_per_class", "2", "--data.image_size", "96"],
    "reviews": ["--config", "sentiment", *FEW["sentiment"]],
    "tree_crowns": ["--config", "detection", *FEW["detection"]],
    "detector": [*BOXES, "--run", "runs/detector"],
    "boxed_emoji": [*BOXES, "--run", "runs/boxed_emoji"],
}
"""Trainings of the runs that blocks mention."""
SENTENCES = {"positive": "I love this {}, it works so well.", "negative": "A bad {}, it broke on the first day."}
THINGS = ("phone", "lamp", "bag", "chair", "radio", "clock", "book", "pen", "bike", "shirt", "film", "song")


def save_images(folder, names, count=6, side=40):
    generator = np.random.default_rng(len(str(folder)))
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            noise = generator.normal(0, 25, (side, side, 3))
            pixels = np.clip(np.array(COLOURS.get(name, (90, 90, 90))) + noise, 0, 255).astype("uint8")
            Image.fromarray(pixels).save(folder / name / f"image{number}.png")


def write_boxes(folder):
    save_images(folder, ["."], count=8, side=128)
    images = sorted(path.name for path in folder.glob("*.png"))
    categories = [{"id": 1, "name": "thing"}]
    entries = [{"id": n, "file_name": name, "width": 128, "height": 128} for n, name in enumerate(images)]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [20, 20, 50, 60]} for n in range(len(images))]
    document = {"images": entries, "annotations": boxes, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Folder with data of all names that the documents mention."""
    folder = tmp_path_factory.mktemp("workplace")
    save_images(folder / "photos", COLOURS, count=12)
    # Mistakes, without which no label is suspicious and no confidence is recommended.
    for name, other in zip(COLOURS, [*list(COLOURS)[1:], *COLOURS], strict=False):
        for number in range(3):
            moved = folder / "photos" / other / f"{name}{number}.png"
            (folder / "photos" / name / f"image{number}.png").rename(moved)
    for name in ("other_labelled_images", "other_labelled_photos", "other_forest"):
        save_images(folder / name, COLOURS)
    for name in ("new_images", "new_photos", "pool", "unlabelled", "other_photos"):
        save_images(folder / name, ["."], count=60)
    rows = [(sentence.format(thing), label) for label, sentence in SENTENCES.items() for thing in THINGS]
    table = "\n".join(["text,label", *(f'"{text}",{label}' for text, label in rows)])
    for name in ("texts.csv", "reviews.csv", "new_reviews.csv"):
        (folder / name).write_text(table, encoding="utf-8")
    (folder / "texts.txt").write_text(
        "\n".join(f"{kind} {thing}." for thing in THINGS for kind in ("Nice", "Old", "New", "Red", "Tall")),
        encoding="utf-8",
    )
    write_boxes(folder / "boxes")
    for name in ("image.jpg", "photo.jpg", "a.jpg", "b.jpg"):
        Image.new("RGB", (90, 80), "green").save(folder / name)
    Image.new("RGB", (64, 64), "yellow").save(folder / "angry.png")
    (folder / "data").symlink_to(ROOT / "data")
    return folder


@pytest.fixture
def here(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    return workplace


def find_run(name):
    """Returns the path of the newest run of a name, training one where it is missing."""
    finished = re.compile(rf"{name}(-\d+)*")
    if not any(finished.fullmatch(path.name) for path in Path("runs").glob("*")):
        run("tl_keras.train", RUNS[name])
    return str(max(path for path in Path("runs").glob("*") if finished.fullmatch(path.name)))


def with_runs(text):
    """Replaces runs/photos-... and the like by paths of finished runs."""
    text = re.sub(r"runs/([a-z_-]+)-\.\.\.", lambda match: find_run(match[1]), text)
    return re.sub(r"runs/detector\b", lambda _: find_run("detector"), text)


def run(module, arguments):
    """Runs a module in a process of its own, whose memory is free afterwards."""
    command = [sys.executable, "-m", module, *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-1000:]}{done.stderr[-2000:]}"


def fill_in(path, column):
    """Fills in a column of a table with classes, as a person would between two commands."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {column: list(COLOURS)[number % len(COLOURS)]} for number, row in enumerate(rows))


def export_texts():
    """Puts the files that a server of an exported text model opens into the current folder."""
    folder = Path(find_run("reviews"))
    run("tl_keras.export", [str(folder), "--format", "onnx"])
    for name in ("model.onnx", "tokenizer.json"):
        shutil.copy(folder / "exports" / name, name)


def run_command(line):
    module, rest = COMMAND.fullmatch(line).groups()
    arguments = shlex.split(with_runs(rest), comments=True)
    for flag, column in (("--labelled", "label"), ("--apply", "decision")):
        if flag in arguments:
            fill_in(Path(arguments[arguments.index(flag) + 1]), column)
    few = next((flags for name, flags in FEW.items() if module == "tl_keras.train" and name in arguments), [])
    if module == "tl_keras.compare":
        few = ONE_DETECTOR if "object_detection" in arguments else ONE_CELL
    run(module, [*arguments, *few])


@pytest.mark.parametrize(("document", "kind", "code"), BLOCKS)
def test_a_code_block_runs(document, kind, code, here):
    for name in PACKAGES.get(document, ()):
        pytest.importorskip(name)
    if kind == "bash":
        for line in code.replace("\\\n", " ").splitlines():
            # Those of other programs reach for an index or a hub, or only copy files.
            if COMMAND.fullmatch(line):
                run_command(line)
    else:
        if document == "docs/export.md":
            export_texts()
        paths = sorted(map(str, Path("photos").rglob("*.png")))
        names = {"paths": paths, "labels": [Path(path).parent.name for path in paths], "new_paths": paths[:2]}
        exec(compile(with_runs(code), document, "exec"), names)
