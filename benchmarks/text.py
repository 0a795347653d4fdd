"""What fine-tuning on texts costs, here and elsewhere: `python benchmarks/text.py --torch_python PATH`.

One MiniLM is fine-tuned, all its weights, on the same reviews with the same epochs, batch size and peak learning rate:
by this package, by `keras_hub.models.BertTextClassifier.fit` and by the `Trainer` of transformers, in turn, A B A B,
each in a process of its own. Counted is the CPU time of an example in the epochs after the first. What the first took
more, for tracing and the first use of memory, stands beside it; imports and building are not counted. Tokenization is:
KerasHub does it in every epoch, the others once, shared among the epochs. Checkpoints, validation and reports are off.
This package alone bounds the tokens of a batch, so its batches of long reviews are smaller, and its steps more.

Padded to 512 tokens a step always costs the same, and short texts learn what they learn at 128: there that contender
trains on fewer texts (`--padded`), and its accuracy is left out.

transformers needs `pip install torch transformers accelerate`, in another environment than this project's.
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
"""A long review is joined of 1 to this many short ones of one label: 240 tokens on average."""


class EpochClock:
    """CPU time, of this process and its children, and time: per example, in the epochs after the first."""

    def __init__(self):
        """Starts the first epoch."""
        self.times = []
        self.end_epoch()

    def end_epoch(self):
        """Ends an epoch, and so starts the next."""
        self.times.append((sum(os.times()[:4]), time.perf_counter()))

    def spent(self, examples, tokenizing=None):
        """Shares the time out among examples.

        Args:
            examples: number of examples in an epoch.
            tokenizing: `EpochClock` of what was done once for all epochs.

        Returns:
            Dict: `cpu` and `wall`, seconds per example; `first`, CPU seconds that the first epoch had more.
        """
        times, epochs = np.array(self.times), len(self.times) - 1
        steady = (times[-1] - times[1]) / (epochs - 1)
        once = np.subtract(*reversed(tokenizing.times)) / epochs if tokenizing else 0.0
        cpu, wall = (steady + once) / examples
        return {"cpu": cpu, "wall": wall, "first": times[1, 0] - times[0, 0] - steady[0]}


def train_by_the_package(job, precision):
    """Fine-tunes as `python -m tl_keras.train` does."""
    import tl_keras as tl
    from tl_keras import config, data, models, train
    from tl_keras.system import devices
    from tl_keras.tasks import text_classification

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
    model = train.build_model(settings, splits)
    inputs = text_classification.training_inputs(settings, splits, 0) | {"validation_data": None}
    clock = EpochClock()
    ends = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: clock.end_epoch())
    model.fit(**inputs, epochs=job.epochs, verbose=0, callbacks=[tl.ProgressiveUnfreezing(phases), ends])
    predicted = text_classification.predict(model, test_set, job.batch_size).argmax(axis=1)
    return clock.spent(len(train_set), tokenizing) | {"accuracy": np.mean(predicted == job.test[1])}


def train_by_keras_hub(job, sequence_length):
    """Fine-tunes with KerasHub's own classifier, of which only the learning rate is set."""
    from tl_keras.system import devices

    devices.load_tensorflow()
    import keras
    import keras_hub

    keras.utils.set_random_seed(job.seed)
    classifier = keras_hub.models.BertTextClassifier.from_preset(job.folder, num_classes=len(CLASSES))
    classifier.compile(optimizer=keras.optimizers.Adam(job.learning_rate))
    classifier.preprocessor.sequence_length = sequence_length
    most = job.padded if sequence_length > job.enough_tokens else job.texts
    texts, labels = (np.array(column[:most]) for column in job.train)
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
    "KerasHub as it comes (512 tokens)": (train_by_keras_hub, 512),
    "KerasHub set to 128 tokens": (train_by_keras_hub, 128),
    "transformers, dynamic padding": (None, "random"),
    "transformers, group_by_length": (None, "group_by_length"),
}
"""Name: what trains, None for the other interpreter, and what it is told."""
REVIEWS = {
    "short": (list(CONTENDERS), 128),
    "long": ([name for name in CONTENDERS if not name.endswith("128 tokens")], 512),
}
"""Kind: who takes part, and how many tokens are enough for (nearly) all texts."""


def make_reviews(kind, num_train, num_test):
    """Draws reviews of both shipped tables.

    Args:
        kind: "short", or "long" for those joined of short ones.
        num_train: number of texts to train on.
        num_test: number of texts to test on, made of other reviews.

    Returns:
        Dict from "train" and "test" to [texts, labels].
    """
    import pandas

    tables = [pandas.read_csv(path) for path in sorted((ROOT / "data" / "reviews").glob("*_reviews.csv"))]
    table = pandas.concat(tables).sample(frac=1, random_state=0)
    half, most = len(table) // 2, 1 if kind == "short" else MAX_SNIPPETS
    return {
        "train": _draw(table[:half], num_train, most, np.random.default_rng(0)),
        "test": _draw(table[half:], num_test, most, np.random.default_rng(1)),
    }


def _draw(table, number, most, generator):
    labels = generator.integers(len(CLASSES), size=number)
    snippets = [iter(list(table.text[table.label == name]) * most) for name in CLASSES]
    texts = [" ".join(next(snippets[label]) for _ in range(generator.integers(1, most + 1))) for label in labels]
    return [texts, labels.tolist()]


def measure(name, job, torch_python):
    """Runs a contender in a process of its own.

    Args:
        name: key of `CONTENDERS`.
        job: dict of what it is to do, ready for JSON.
        torch_python: interpreter that has torch.

    Returns:
        Dict: `cpu`, `wall`, `first` as `EpochClock` tells, and `accuracy`.
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
    """Prints the medians of all rounds, and the mean of their accuracies with its standard error.

    Args:
        results: dict from contender to a list of what `measure` returned.
        num_test: number of reviews tested on, the same ones in every round: the error is that of one round.
    """
    medians = {
        name: {key: statistics.median(found[key] for found in rounds) for key in ("cpu", "wall", "first")}
        for name, rounds in results.items()
    }
    ours = next(iter(medians.values()))["cpu"]
    print("| contender | CPU ms / example | times ours | examples / s | first epoch more, CPU s | accuracy |")
    print("|---|---|---|---|---|---|")
    for name, found in medians.items():
        speed = f"{1000 * found['cpu']:.1f} | {found['cpu'] / ours:.2f} | {1 / found['wall']:.1f}"
        accuracies = [round["accuracy"] for round in results[name] if round["accuracy"] is not None]
        mean = statistics.mean(accuracies) if accuracies else 0.0
        accuracy = f"{mean:.3f} ± {(mean * (1 - mean) / num_test) ** 0.5:.3f}" if accuracies else ""
        print(f"| {name} | {speed} | {found['first']:.1f} | {accuracy} |")
    print(flush=True)


def parse_options():
    """Reads the flags."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch_python", help="interpreter that has torch, transformers and accelerate")
    parser.add_argument("--reviews", action="append", choices=REVIEWS, help="only these; may be repeated")
    parser.add_argument("--contender", action="append", choices=CONTENDERS, help="only this and ours; may be repeated")
    parser.add_argument(
        "--short", type=int, default=512, help="short reviews to train on, at most 2000 (default: %(default)s)"
    )
    parser.add_argument("--long", type=int, default=192, help="long reviews to train on (default: %(default)s)")
    parser.add_argument(
        "--padded", type=int, default=96, help="short reviews that KerasHub pads to 512 tokens (default: %(default)s)"
    )
    parser.add_argument("--test", type=int, default=200, help="reviews to test on (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=2, help="at least 2 (default: %(default)s)")
    parser.add_argument("--batch_size", type=int, default=32, help="(default: %(default)s)")
    parser.add_argument("--learning_rate", type=float, default=2e-4, help="its peak (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of A B, each with a seed (default: %(default)s)")
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
        print("transformers is left out: no --torch_python was given.\n")
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
        print(f"{kind} reviews, {texts} to train on, {options.epochs} epochs:\n")
        print_table(results, options.test)


if __name__ == "__main__":
    main()
