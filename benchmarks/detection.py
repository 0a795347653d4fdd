"""Measures the speed of detectors and of their activation cache: `python benchmarks/detection.py`.

The first table compares training steps (all blocks trainable) and prediction steps of Faster R-CNN on ResNet50 with a
feature pyramid and of KerasHub's RetinaNet on the same backbone, with the same images, boxes, batches and float32, in
alternating processes. The second table compares the first phase of a run, with a frozen backbone, with and without
cached activations, on the number of images of `--config detection` and with the epochs that the recipes set for a
detector's new blocks.

The unit is CPU time of all threads, without imports and model building; the first table also leaves out the first
steps, which compile. Images, boxes and weights are random, which does not change the arithmetic.
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

CLASSES, BOXES, WARM_UPS = 20, 10, 2
OWN, HUB = "Faster R-CNN, tl_keras", "RetinaNet, KerasHub"
WAYS = (OWN, HUB)
SHIPPED = {"channels": 64, "head_units": [256], "num_proposals": 200}
FIRST_PHASES = {
    "Faster R-CNN, ResNet50 with a pyramid": ("faster_rcnn", "resnet50", SHIPPED, "neck"),
    "Faster R-CNN, VGG16, one map": ("faster_rcnn", "vgg16", SHIPPED | {"feature_pyramid": False}, "proposals"),
    "RetinaNet, ResNet50": ("retinanet", "resnet50", {"channels": 64}, "neck"),
}
"""Detector, backbone, settings (those of `--config detection`) and first trainable block, by name."""


def draw(count, size):
    """Draws images uint8 (count, size, size, 3) and, in pixels, boxes float32 (count, BOXES, 4) with labels."""
    generator = np.random.default_rng(0)
    corners = generator.uniform(0, 0.7 * size, (count, BOXES, 2))
    sides = generator.uniform(0.05 * size, 0.3 * size, (count, BOXES, 2))
    boxes = np.concatenate([corners, corners + sides], axis=-1).astype("float32")
    return (
        generator.integers(0, 256, (count, size, size, 3), np.uint8),
        boxes,
        generator.integers(0, CLASSES, (count, BOXES), np.int32),
    )


def build_own(size):
    """Builds Faster R-CNN with default settings."""
    import tl_keras as tl

    return tl.build_object_detector("faster_rcnn", CLASSES, backbone="resnet50", weights=None, image_size=size)


def build_hub(size):
    """Builds KerasHub's RetinaNet as in its presets."""
    import keras_hub

    encoder = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[3, 4, 6, 3],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="bottleneck_block",
        image_shape=(size, size, 3),
    )
    backbone = keras_hub.models.RetinaNetBackbone(
        encoder, min_level=3, max_level=7, use_p5=False, image_shape=(size, size, 3)
    )
    return keras_hub.models.RetinaNetObjectDetector(backbone, num_classes=CLASSES, bounding_box_format="xyxy")


def time_steps(way, options):
    """Measures the median CPU seconds per image of a training step and of a prediction, in this process."""
    from tl_keras.system import devices

    devices.set_up(0, "float32")
    import keras
    import tensorflow as tf

    model = {OWN: build_own, HUB: build_hub}[way](options.size)
    model.compile(keras.optimizers.SGD(1e-4), jit_compile=False)
    images, boxes, labels = draw(options.batch_size, options.size)
    inputs = images.astype("float32")
    batch = tf.data.Dataset.from_tensors((inputs, {"boxes": boxes, "labels": labels})).cache().repeat()
    unlabelled = tf.data.Dataset.from_tensors(inputs).cache().repeat()
    train = median_seconds(lambda: model.fit(batch, steps_per_epoch=1, verbose=0), options.steps)
    predict = median_seconds(lambda: model.predict(unlabelled, steps=1, verbose=0), options.steps)
    return [train / options.batch_size, predict / options.batch_size]


def median_seconds(step, count):
    """Measures the median CPU seconds of `count` calls, after warm-up calls that compile."""
    seconds = []
    for _ in range(WARM_UPS + count):
        started = time.process_time()
        step()
        seconds.append(time.process_time() - started)
    return statistics.median(seconds[WARM_UPS:])


def time_first_phase(name, mode, options):
    """Measures the CPU seconds of the first phase of a detector, in this process."""
    import tl_keras as tl
    from tl_keras import data
    from tl_keras.config import CacheConfig, DataConfig, DetectionConfig, ModelConfig, RunConfig
    from tl_keras.runs.run_folder import RunFolder
    from tl_keras.system import devices
    from tl_keras.training import fitting
    from tl_keras.training.building import build_model

    detector, backbone, settings, block = FIRST_PHASES[name]
    images, boxes, labels = draw(options.examples, options.size)
    names = tuple(map(str, range(CLASSES)))
    sizes = np.full((options.examples, 2), options.size, np.int32)
    whole = data.BoxSet(images, list(labels), [""] * options.examples, names, boxes=list(boxes), sizes=sizes)
    first = data.BoxSet(images[:1], list(labels[:1]), [""], names, boxes=list(boxes[:1]), sizes=sizes[:1])
    phases = [tl.Phase(block, epochs=options.epochs, learning_rate=1e-4)]
    config = RunConfig(
        task="object_detection",
        data=DataConfig(path="none", augmentation="none", batch_size=options.batch_size),
        model=ModelConfig(backbone=backbone, weights="none"),
        detection=DetectionConfig(detector=detector, **settings),
        cache=CacheConfig(mode=mode),
        phases=phases,
    )
    devices.set_up(0, "float32")
    splits = data.Splits(whole, first, first, names, [], [])
    model = build_model(config, splits)
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        fitting.fit_phases(config, model, splits, phases, RunFolder(folder))
        return time.process_time() - started


def run_in_process(options, job):
    """Runs a job of this file in a new process and returns its result."""
    settings = {name: getattr(options, name) for name in ("size", "batch_size", "steps", "examples", "epochs")}
    command = [sys.executable, __file__, "--job", json.dumps({"job": job, **settings})]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def print_steps(options):
    """Prints the table of steps."""
    results = {way: [] for way in WAYS}
    for _ in range(options.repeats):
        for way in WAYS:
            results[way].append(run_in_process(options, [way]))
    own = np.median(results[OWN], axis=0)
    print("| detector | training, CPU s / image | prediction, CPU s / image | tl_keras / this, training | prediction |")
    print("|---|---|---|---|---|")
    for way in WAYS:
        train, predict = np.median(results[way], axis=0)
        print(f"| {way} | {train:.2f} | {predict:.2f} | {own[0] / train:.2f} | {own[1] / predict:.2f} |", flush=True)


def print_phases(options):
    """Prints the table of first phases."""
    print("\n| first phase | on images, CPU s | on cached activations, CPU s | ratio |\n|---|---|---|---|")
    for name in FIRST_PHASES:
        results = {"off": [], "on": []}
        for _ in range(options.repeats):
            for mode, seconds in results.items():
                seconds.append(run_in_process(options, [name, mode]))
        plain, cached = (statistics.median(seconds) for seconds in results.values())
        print(f"| {name} | {plain:.1f} | {cached:.1f} | {plain / cached:.1f} |", flush=True)


def main():
    """Measures and prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=320, help="side of the images in pixels (default: 320)")
    parser.add_argument("--batch_size", type=int, default=4, help="(default: 4)")
    parser.add_argument("--steps", type=int, default=5, help="steps to measure in each process (default: 5)")
    parser.add_argument("--examples", type=int, default=110, help="images of the first phase (default: 110)")
    parser.add_argument("--epochs", type=int, default=17, help="epochs of the first phase (default: 17)")
    parser.add_argument("--repeats", type=int, default=2, help="number of rounds (default: 2)")
    parser.add_argument("--table", choices=("steps", "phases"), help="print only this table")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        settings = argparse.Namespace(**json.loads(options.job))
        measure = time_steps if len(settings.job) == 1 else time_first_phase
        print(json.dumps(measure(*settings.job, settings)))
        return
    if options.table != "phases":
        print_steps(options)
    if options.table != "steps":
        print_phases(options)


if __name__ == "__main__":
    main()
