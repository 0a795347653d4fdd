"""Compares the cost of fine-tuning on texts with other packages: `python benchmarks/text.py --torch_python PATH`.

All weights of MiniLM are fine-tuned on the same reviews with the same epochs, batch size and peak learning rate, by
this package, by `keras_hub.models.BertTextClassifier.fit` and by the `Trainer` of transformers, in alternating
processes. The unit is CPU time per example in the epochs after the first; the extra time of the first epoch, for
tracing and first use of memory, is shown beside it. Imports and model building do not count. Tokenization does:
KerasHub tokenizes in every epoch, the others once, shared among the epochs. Checkpoints, validation and reports are
off. Only this package limits the tokens of a batch, so it trains on long reviews in smaller batches and more steps.

A step padded to 512 tokens always costs the same, and short texts give the same accuracy as with 128 tokens. The
contender with 512 tokens therefore trains on fewer short texts (`--padded`), without an accuracy.

transformers needs `pip install torch transformers accelerate` in an environment of its own.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

CLASSES = ("negative", "positive")
MAX_SNIPPETS = 19
"""Maximum number of short reviews with one label that are joined to a long review, 240 tokens on average."""


class EpochClock:
    """Clock of the CPU time of this process and its children, and of wall time, by epoch."""

    def __init__(self):
        """Starts the first epoch."""
        self.times = []
        self.end_epoch()

    def end_epoch(self):
        """Ends an epoch and starts the next."""
        self.times.append((sum(os.times()[:4]), time.perf_counter()))

    def spent(self, examples, tokenizing=None):
        """Computes the time per example in the epochs after the first.

        Args:
            examples: number of examples in an epoch.
            tokenizing: `EpochClock` of the tokenization, which is done once for all epochs.

        Returns:
            dict: `cpu` and `wall`, seconds per example; `first`, extra CPU seconds of the first epoch.
        """
        times, epochs = np.array(self.times), len(self.times) - 1
        steady = (times[-1] - times[1]) / (epochs - 1)
        once = np.subtract(*reversed(tokenizing.times)) / epochs if tokenizing else 0.0
        cpu, wall = (steady + once) / examples
        return {"cpu": cpu, "wall": wall, "first": times[1, 0] - times[0, 0] - steady[0]}


def train_by_the_package(job, precision):
    """Fine-tunes as `python -m tl_keras.train` does."""
    import tl_keras as tl
    from tl_keras import config, data, models
    from tl_keras.system import devices
    from tl_keras.tasks.registry import TASKS
    from tl_keras.training.building import build_model

    devices.set_up(job.seed, precision)
    import keras

    tokenizer = models.build_tokenizer("minilm")
    tokenizer.encode(["The first call traces."])
    token_format = data.TokenFormat(
        start_ids=tokenizer.start_ids,
        separator_ids=tokenizer.separator_ids,
        end_ids=tokenizer.end_ids,
        pad_id=tokenizer.pad_id,
        has_segments=tokenizer.has_segments,
    )
    tokenizing = EpochClock()
    train_set = data.tokenize(_records(*job.train), tokenizer.encode, token_format)
    tokenizing.end_epoch()
    test_set = data.tokenize(_records(*job.test), tokenizer.encode, token_format)
    splits = data.TokenSplits(train_set, test_set, test_set, CLASSES)
    phases = [tl.Phase("all", epochs=job.epochs, learning_rate=job.learning_rate)]
    settings = config.RunConfig(
        task="text_classification",
        data=config.DataConfig(batch_size=job.batch_size),
        phases=phases,
        precision=precision,
        seed=job.seed,
    )
    task = TASKS[settings.task]
    model = build_model(settings, splits)
    inputs = task.training_inputs(settings, splits, 0) | {"validation_data": None}
    clock = EpochClock()
    ends = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: clock.end_epoch())
    model.fit(**inputs, epochs=job.epochs, verbose=0, callbacks=[tl.ProgressiveUnfreezing(phases), ends])
    predicted = task.predict(model, test_set, job.batch_size).argmax(axis=1)
    return clock.spent(len(train_set), tokenizing) | {"accuracy": np.mean(predicted == job.test[1])}


def train_by_keras_hub(job, sequence_length):
    """Fine-tunes with KerasHub's classifier and its default settings, except for the learning rate."""
    from tl_keras.system import devices

    devices.load_tensorflow()
    import keras
    import keras_hub

    keras.utils.set_random_seed(job.seed)
    classifier = keras_hub.models.BertTextClassifier.from_preset(job.folder, num_classes=len(CLASSES))
    classifier.compile(optimizer=keras.optimizers.Adam(job.learning_rate))
    classifier.preprocessor.sequence_length = sequence_length
    count = job.padded if sequence_length > job.enough_tokens else job.texts
    texts, labels = (np.array(column[:count]) for column in job.train)
    clock = EpochClock()
    ends = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: clock.end_epoch())
    classifier.fit(texts, labels, batch_size=job.batch_size, epochs=job.epochs, verbose=0, callbacks=[ends])
    if len(texts) < job.texts:
        return clock.spent(len(texts)) | {"accuracy": None}
    predicted = classifier.predict(np.array(job.test[0]), batch_size=job.batch_size, verbose=0).argmax(axis=1)
    return clock.spent(len(texts)) | {"accuracy": np.mean(predicted == job.test[1])}


def _records(texts, labels):
    from tl_keras import data

    return data.Records(texts, [""] * len(texts), np.array(labels, np.int32), [], CLASSES)


CONTENDERS = {
    "tl_keras, float32": (train_by_the_package, "float32"),
    "tl_keras, mixed_bfloat16": (train_by_the_package, "mixed_bfloat16"),
    "KerasHub's default (512 tokens)": (train_by_keras_hub, 512),
    "KerasHub, 128 tokens": (train_by_keras_hub, 128),
    "transformers, dynamic padding": (None, "random"),
    "transformers, group_by_length": (None, "group_by_length"),
}
"""Training function (None: in the other interpreter) and its setting, by name."""
REVIEWS = {
    "short": (list(CONTENDERS), 128),
    "long": ([name for name in CONTENDERS if not name.endswith("128 tokens")], 512),
}
"""Contenders, and the number of tokens that is enough for (nearly) all texts, by kind of reviews."""


def make_reviews(kind, num_train, num_test):
    """Draws reviews from both embedded tables.

    Args:
        kind: "short", or "long" for reviews joined from short ones.
        num_train: number of training texts.
        num_test: number of test texts, from other reviews.

    Returns:
        dict from "train" and "test" to [texts, labels].
    """
    import pandas

    tables = [pandas.read_csv(path) for path in sorted((ROOT / "data" / "reviews").glob("*_reviews.csv"))]
    table = pandas.concat(tables).sample(frac=1, random_state=0)
    half, max_snippets = len(table) // 2, 1 if kind == "short" else MAX_SNIPPETS
    return {
        "train": _draw(table[:half], num_train, max_snippets, np.random.default_rng(0)),
        "test": _draw(table[half:], num_test, max_snippets, np.random.default_rng(1)),
    }


def _draw(table, number, max_snippets, generator):
    labels = generator.integers(len(CLASSES), size=number)
    snippets = [iter(list(table.text[table.label == name]) * max_snippets) for name in CLASSES]
    texts = [
        " ".join(next(snippets[label]) for _ in range(generator.integers(1, max_snippets + 1))) for label in labels
    ]
    return [texts, labels.tolist()]


def measure(name, job, torch_python):
    """Runs a contender in a new process.

    Args:
        name: key of `CONTENDERS`.
        job: dict of the settings, ready for JSON.
        torch_python: path of an interpreter with torch.

    Returns:
        dict: `cpu`, `wall` and `first` as in `EpochClock.spent`, and `accuracy`.
    """
    train, setting = CONTENDERS[name]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(job | {"contender": name, "setting": setting}, file)
        file.flush()
        if train is None:
            command = [torch_python, str(Path(__file__).with_name("text_torch.py")), file.name]
        else:
            command = [sys.executable, __file__, "--job", file.name]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def print_table(results, num_test):
    """Prints the medians of all rounds, and the mean accuracy with its standard error.

    Args:
        results: dict from contender to the list of its results of `measure`.
        num_test: number of test reviews, the same in every round, so that the error is that of one round.
    """
    medians = {
        name: {key: statistics.median(result[key] for result in rounds) for key in ("cpu", "wall", "first")}
        for name, rounds in results.items()
    }
    ours = next(iter(medians.values()))["cpu"]
    print("| contender | CPU ms / example | times ours | examples / s | extra CPU s of first epoch | accuracy |")
    print("|---|---|---|---|---|---|")
    for name, median in medians.items():
        speed = f"{1000 * median['cpu']:.1f} | {median['cpu'] / ours:.2f} | {1 / median['wall']:.1f}"
        accuracies = [round["accuracy"] for round in results[name] if round["accuracy"] is not None]
        mean = statistics.mean(accuracies) if accuracies else 0.0
        accuracy = f"{mean:.3f} ± {(mean * (1 - mean) / num_test) ** 0.5:.3f}" if accuracies else ""
        print(f"| {name} | {speed} | {median['first']:.1f} | {accuracy} |")
    print(flush=True)


def parse_options():
    """Reads the flags."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch_python", help="interpreter with torch, transformers and accelerate")
    parser.add_argument("--reviews", action="append", choices=REVIEWS, help="only these reviews; may be repeated")
    parser.add_argument(
        "--contender", action="append", choices=CONTENDERS, help="only this contender and ours; may be repeated"
    )
    parser.add_argument(
        "--short", type=int, default=512, help="short training reviews, at most 2000 (default: %(default)s)"
    )
    parser.add_argument("--long", type=int, default=192, help="long training reviews (default: %(default)s)")
    parser.add_argument(
        "--padded", type=int, default=96, help="short reviews that KerasHub pads to 512 tokens (default: %(default)s)"
    )
    parser.add_argument("--test", type=int, default=200, help="test reviews (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=2, help="at least 2 (default: %(default)s)")
    parser.add_argument("--batch_size", type=int, default=32, help="(default: %(default)s)")
    parser.add_argument("--learning_rate", type=float, default=2e-4, help="peak learning rate (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=2, help="number of rounds, each with its own seed (default: %(default)s)"
    )
    parser.add_argument("--job", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    """Measures all contenders and prints a table for each kind of reviews."""
    options = parse_options()
    if options.job:
        job = SimpleNamespace(**json.loads(Path(options.job).read_text(encoding="utf-8")))
        train, setting = CONTENDERS[job.contender]
        print(json.dumps(train(job, setting)))
        return
    from tl_keras.models.texts.minilm import fetch_minilm

    if not options.torch_python:
        print("transformers is left out: it needs --torch_python.\n")
    job = {name: getattr(options, name) for name in ("epochs", "batch_size", "learning_rate", "padded")}
    job["folder"] = str(fetch_minilm())
    for kind in options.reviews or REVIEWS:
        names, enough_tokens = REVIEWS[kind]
        names = [name for name in names if not options.contender or name in options.contender or name == names[0]]
        names = [name for name in names if CONTENDERS[name][0] or options.torch_python]
        texts = getattr(options, kind)
        job |= make_reviews(kind, texts, options.test) | {"texts": texts, "enough_tokens": enough_tokens}
        results = {name: [] for name in names}
        for seed in range(options.rounds):
            for name in names:
                results[name].append(measure(name, job | {"seed": seed}, options.torch_python))
        print(f"{kind} reviews, {texts} for training, {options.epochs} epochs:\n")
        print_table(results, options.test)


if __name__ == "__main__":
    main()
