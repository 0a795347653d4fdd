"""How fast detectors learn and predict, and what stored activations save them: `python benchmarks/detection.py`.

Two tables. The first takes steps of training, everything learning, and of prediction, of Faster R-CNN on ResNet50 with
a feature pyramid, and of the RetinaNet of KerasHub on the same backbone; same images, boxes, batches and float32, in
turn, A B A B, each in a process of its own. The second trains the first phase of a run, the backbone frozen, with and
without stored activations, on as many images as `--config detection` has, for as many epochs as the recipes give a
detector's new blocks on them.

Counted is CPU time, of all threads, without imports and building; in the first table without the first steps either,
which compile. Images, boxes and weights are noise, which does not change the arithmetic.
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
"""Name: detector, backbone, its settings, those of `--config detection`, and the first block that learns."""


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
    """Builds Faster R-CNN with the settings of its defaults."""
    import tl_keras as tl

    return tl.build_object_detector("faster_rcnn", CLASSES, backbone="resnet50", weights=None, image_size=size)


def build_hub(size):
    """Builds the RetinaNet of KerasHub as its presets are."""
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
    """Returns the median CPU seconds for an image of a training step and of a prediction, in this process."""
    from tl_keras.system import devices

    devices.set_up(0, "float32")
    import keras
    import tensorflow as tf

    model = {OWN: build_own, HUB: build_hub}[way](options.size)
    model.compile(keras.optimizers.SGD(1e-4), jit_compile=False)
    images, boxes, labels = draw(options.batch_size, options.size)
    inputs = images.astype("float32")
    batch = tf.data.Dataset.from_tensors((inputs, {"boxes": boxes, "labels": labels})).cache().repeat()
    bare = tf.data.Dataset.from_tensors(inputs).cache().repeat()
    train = median_seconds(lambda: model.fit(batch, steps_per_epoch=1, verbose=0), options.steps)
    predict = median_seconds(lambda: model.predict(bare, steps=1, verbose=0), options.steps)
    return [train / options.batch_size, predict / options.batch_size]


def median_seconds(step, count):
    """Takes the median CPU time of some calls, after those that compile."""
    seconds = []
    for _ in range(WARM_UPS + count):
        started = time.process_time()
        step()
        seconds.append(time.process_time() - started)
    return statistics.median(seconds[WARM_UPS:])


def time_first_phase(name, mode, options):
    """Returns the CPU seconds of the first phase of a detector, in this process."""
    import tl_keras as tl
    from tl_keras import data
    from tl_keras.config import CacheConfig, DataConfig, DetectionConfig, ModelConfig, RunConfig
    from tl_keras.runs.run_folder import run_folder as runs
    from tl_keras.system import devices
    from tl_keras.train import build_model
    from tl_keras.training import fitting

    detector, backbone, settings, block = FIRST_PHASES[name]
    images, boxes, labels = draw(options.examples, options.size)
    names = tuple(map(str, range(CLASSES)))
    sizes = np.full((options.examples, 2), options.size, np.int32)
    whole = data.BoxSet(images, list(boxes), list(labels), [""] * options.examples, sizes, names)
    first = data.BoxSet(images[:1], list(boxes[:1]), list(labels[:1]), [""], sizes[:1], names)
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
    splits = data.BoxSplits(whole, first, first, names, [], [])
    model = build_model(config, splits)
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        fitting.fit_phases(config, model, splits, phases, runs.RunFolder(folder))
        return time.process_time() - started


def apart(options, job):
    """Does a job of this file in a process of its own and returns what it prints last."""
    settings = {name: getattr(options, name) for name in ("size", "batch_size", "steps", "examples", "epochs")}
    command = [sys.executable, __file__, "--job", json.dumps({"job": job, **settings})]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def print_steps(options):
    """Prints the table of steps."""
    found = {way: [] for way in WAYS}
    for _ in range(options.repeats):
        for way in WAYS:
            found[way].append(apart(options, [way]))
    own = np.median(found[OWN], axis=0)
    print("| detector | training, CPU s an image | prediction, CPU s an image | tl_keras / it, training | prediction |")
    print("|---|---|---|---|---|")
    for way in WAYS:
        train, predict = np.median(found[way], axis=0)
        print(f"| {way} | {train:.2f} | {predict:.2f} | {own[0] / train:.2f} | {own[1] / predict:.2f} |", flush=True)


def print_phases(options):
    """Prints the table of first phases."""
    print("\n| first phase | on images, CPU s | on stored activations, CPU s | ratio |\n|---|---|---|---|")
    for name in FIRST_PHASES:
        found = {"off": [], "on": []}
        for _ in range(options.repeats):
            for mode, seconds in found.items():
                seconds.append(apart(options, [name, mode]))
        plain, stored = (statistics.median(seconds) for seconds in found.values())
        print(f"| {name} | {plain:.1f} | {stored:.1f} | {plain / stored:.1f} |", flush=True)


def main():
    """Measures and prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=320, help="side of the images in pixels (default: 320)")
    parser.add_argument("--batch_size", type=int, default=4, help="(default: 4)")
    parser.add_argument("--steps", type=int, default=5, help="steps measured in each process (default: 5)")
    parser.add_argument("--examples", type=int, default=110, help="images of the first phase (default: 110)")
    parser.add_argument("--epochs", type=int, default=17, help="epochs of the first phase (default: 17)")
    parser.add_argument("--repeats", type=int, default=2, help="rounds of A B (default: 2)")
    parser.add_argument("--table", choices=("steps", "phases"), help="print only this one")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        given = argparse.Namespace(**json.loads(options.job))
        found = time_steps(*given.job, given) if len(given.job) == 1 else time_first_phase(*given.job, given)
        print(json.dumps(found))
        return
    if options.table != "phases":
        print_steps(options)
    if options.table != "steps":
        print_phases(options)


if __name__ == "__main__":
    main()
