"""What AdaBN and TENT bring where pictures get worse: `python benchmarks/corruptions.py`.

One network learns the clean emoji that ship with the package, with their own statistics in its batch normalization:
those of ImageNet, for which its head would have learned, could not be replaced by those of emoji. Then each
corruption, in the manner of ImageNet-C (Hendrycks and Dietterich 2019, https://arxiv.org/abs/1903.12261), is a target
domain without labels: the corrupted pictures of training and validation are adapted to, those of the test, which the
network never saw, are reported. The table shows the error on them: source-only and adapted, mean and standard
deviation over the seeds.
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
    """Writes the corrupted pictures with a table that keeps the split, and returns the table's path."""
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
    """Returns the errors on the corrupted test pictures, source-only and adapted, and whether it was adapted."""
    records = data.split_records(data.find_records("emoji"), seed=seed)
    target = write_target(records, name, folder / f"{name}-{method}-{seed}-pictures")
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
    parser.add_argument("--batch_norm", default="recalibrate", help="as of a run (default: recalibrate)")
    parser.add_argument("--seeds", type=int, default=3, help="draws of split and order (default: 3)")
    options = parser.parse_args()
    print("| corruption | method | error, source-only | error, adapted | kept |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.corruption or CORRUPTIONS:
            for method in options.method or METHODS:
                draws = range(options.seeds)
                found = [measure(name, method, seed, options.batch_norm, Path(folder)) for seed in draws]
                *errors, kept = zip(*found, strict=True)
                cells = [f"{statistics.mean(values):.3f} ± {statistics.pstdev(values):.3f}" for values in errors]
                print(f"| {name} | {method} | {' | '.join(cells)} | {sum(kept)} of {len(kept)} |", flush=True)


if __name__ == "__main__":
    main()
