"""Measures AdaBN and TENT on corrupted images: `python benchmarks/corruptions.py`.

One network is trained on the clean emoji of the package, with batch normalization by their own statistics: a head
trained with those of ImageNet does not work with others. Each corruption, as in ImageNet-C (Hendrycks and Dietterich
2019, https://arxiv.org/abs/1903.12261), is then an unlabelled target domain. The network adapts to the corrupted
training and validation images; the table shows the error on the corrupted test images, source-only and adapted, as mean
and standard deviation over the seeds.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

sys.path.insert(0, str(Path(__file__).parents[1]))

import tl_keras as tl
from tl_keras import data
from tl_keras.config.parsing import parse
from tl_keras.runs.run_folder import RunFolder

METHODS = ("adabn", "tent")


def add_noise(image):
    """Adds Gaussian noise of a standard deviation of 40 grey values."""
    noise = np.random.default_rng(0).normal(0, 40, (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype("uint8"))


CORRUPTIONS = {
    "noise": add_noise,
    "blur": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
    "contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.3),
}


def write_target(records, name, folder):
    """Writes the corrupted images and a table with the same split, and returns the path of the table."""
    folder.mkdir(parents=True)
    rows = ["path,label,split"]
    for number, (source, label, split) in enumerate(zip(records.sources, records.labels, records.splits, strict=True)):
        image = Image.fromarray(data.read_upright(source))
        CORRUPTIONS[name](image).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{records.class_names[label]},{'test' if split == 'test' else 'train'}")
    table = folder / "target.csv"
    table.write_text("\n".join(rows), encoding="utf-8")
    return table


def measure(name, method, seed, batch_norm, folder):
    """Returns the source-only and the adapted error on corrupted test images, and if the adapted model was kept."""
    records = data.split_records(data.find_records("emoji"), seed=seed)
    target = write_target(records, name, folder / f"{name}-{method}-{seed}-images")
    recipe = f"--data.augmentation none --recipe feature_extraction --batch_norm {batch_norm}"
    flags = f"{recipe} --adaptation.method {method}".split()
    run = folder / f"{name}-{method}-{seed}"
    with open(run.with_suffix(".log"), "w", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        tl.run_training(parse([*flags, "--adaptation.target", str(target), "--seed", str(seed), "--run", str(run)]))
    record = RunFolder(run).read_json("metrics.json")["adaptation"]
    errors = [1 - record["target"][way]["accuracy"] for way in ("source_only", "adapted")]
    return (*errors, record["kept"] != "source-only")


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corruption", action="append", choices=CORRUPTIONS, help="may be repeated (default: all)")
    parser.add_argument("--method", action="append", choices=METHODS, help="may be repeated (default: all)")
    parser.add_argument("--batch_norm", default="recalibrate", help="--batch_norm of the runs (default: recalibrate)")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds (default: 3)")
    options = parser.parse_args()
    print("| corruption | method | error, source-only | error, adapted | kept |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.corruption or CORRUPTIONS:
            for method in options.method or METHODS:
                seeds = range(options.seeds)
                results = [measure(name, method, seed, options.batch_norm, Path(folder)) for seed in seeds]
                *errors, kept = zip(*results, strict=True)
                cells = [f"{statistics.mean(values):.3f} ± {statistics.pstdev(values):.3f}" for values in errors]
                print(f"| {name} | {method} | {' | '.join(cells)} | {sum(kept)} of {len(kept)} |", flush=True)


if __name__ == "__main__":
    main()
