"""What the activation cache saves: `python benchmarks/transfer_engine.py`.

Each case is trained by the recipe of the Keras guide (https://keras.io/guides/transfer_learning: freeze, compile, fit,
once for each phase) and by this package, in turn, A B A B, each in a process of its own. Counted is the CPU time of
training, without imports and building; beside it stands one forward pass over the images, the floor of all. Images are
noise and weights random: neither changes the arithmetic.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

CASES = {
    "feature extraction, VGG16 @160": ("vgg16", 160, ["head"], 5),
    "feature extraction, InceptionV3 @160": ("inception_v3", 160, ["head"], 5),
    "progressive, VGG16 @160": ("vgg16", 160, ["head", "block5", "block4"], 3),
    "progressive, InceptionV3 @160": ("inception_v3", 160, ["head", "mixed10", "mixed9"], 3),
    "progressive, EfficientNet-Lite0 @128": ("efficientnet_lite0", 128, ["head", "top", "block7"], 3),
}
"""Name: backbone, image size, the blocks that the phases train from, epochs of each phase."""
WAYS = ("guide", "package", "forward pass")
CLASSES, BATCH_SIZE = 10, 32


def train_by_the_guide(model, images, labels, blocks, epochs):
    """Freezes, compiles and fits once for each phase, as the Keras guide does."""
    import keras

    import tl_keras as tl

    for block in blocks:
        tl.freeze_to(model, block)
        model.compile(keras.optimizers.Adam(1e-4), "categorical_crossentropy", metrics=["accuracy"])
        model.fit(images, labels, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)


def train_by_the_package(model, images, labels, blocks, epochs):
    """Trains the same phases on stored activations."""
    import tl_keras as tl
    from tl_keras import data, fitting, models, runs
    from tl_keras.config import CacheConfig, DataConfig, RunConfig

    labels = labels.argmax(axis=1).astype("int32")
    names = tuple(map(str, range(CLASSES)))
    train = data.ImageSet(images, labels, [""] * len(images), names)
    validation = data.ImageSet(images[:1], labels[:1], [""], names)
    splits = data.ImageSplits(train, validation, validation, names, [])
    phases = [tl.Phase(block, epochs=epochs, learning_rate=1e-4) for block in blocks]
    settings = DataConfig(augmentation="none", batch_size=BATCH_SIZE)
    config = RunConfig(data=settings, cache=CacheConfig(mode="on", max_gigabytes=8.0), phases=phases)
    models.compile_classifier(model, tl.StagedAdamW())
    with tempfile.TemporaryDirectory() as folder:
        fitting.fit_phases(config, model, splits, phases, runs.RunFolder(folder))


def pass_forward(model, images, labels, blocks, epochs):
    """Computes every image once."""
    model.predict(images, batch_size=BATCH_SIZE, verbose=0)


def measure(case, way, num_images):
    """Runs one way of one case in this process and returns its CPU seconds."""
    from tl_keras import devices, models

    devices.set_up(0, "float32")
    backbone, image_size, blocks, epochs = CASES[case]
    model = models.build_image_classifier(backbone, CLASSES, weights=None, image_size=image_size, dropout=0.0)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (num_images, image_size, image_size, 3)).astype("uint8")
    labels = np.eye(CLASSES, dtype="float32")[generator.integers(0, CLASSES, num_images)]
    run = dict(zip(WAYS, (train_by_the_guide, train_by_the_package, pass_forward), strict=True))[way]
    started = time.process_time()
    run(model, images, labels, blocks, epochs)
    return time.process_time() - started


def main():
    """Measures the cases asked for and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", action="append", choices=CASES, help="measure only this case; may be repeated")
    parser.add_argument("--images", type=int, default=512, help="number of images (default: 512)")
    parser.add_argument("--repeats", type=int, default=2, help="rounds of A B (default: 2)")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measure(options.case[0], options.way, options.images)))
        return
    print(f"| case | {' | '.join(f'{way}, CPU s' for way in WAYS)} | guide / package | package / forward pass |")
    print("|---|---|---|---|---|---|")
    for case in options.case or CASES:
        seconds = {way: [] for way in WAYS}
        for _ in range(options.repeats):
            for way in WAYS:
                command = [sys.executable, __file__, "--case", case, "--way", way, "--images", str(options.images)]
                printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                seconds[way].append(json.loads(printed.splitlines()[-1]))
        guide, package, forward = (statistics.median(seconds[way]) for way in WAYS)
        row = f"{guide:.1f} | {package:.1f} | {forward:.1f} | {guide / package:.1f} | {package / forward:.2f}"
        print(f"| {case} | {row} |", flush=True)


if __name__ == "__main__":
    main()
