"""What training on several workers costs: `python benchmarks/distribution.py`, or with `--table` what it would cost.

Without flags it trains the blocks of a small network phase by phase, on one process and on two and four that speak over
the network of this machine, and prints for each phase the steps in a second, as a ratio to one process with the same
batch (the median of so many rounds, in which all take turns), and the bytes that all workers together sent in a step
beside those of the cost model: of N workers in a ring each sends 2 (N - 1) / N times the bytes of the trainable
parameters. What else speaks on this machine's own network counts, too.

With `--table` it counts the trainable parameters of VGG16, InceptionV3 and BERT-base in the phases of a progressive
unfreezing, and what a worker sends in a step for them.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

WIDTH, BATCH, STEPS = 512, 8192, 20
PHASES = ("head", "block2", "all")
MEASURED, COUNTED = (2, 4), (2, 16, 256)
TABLE = {"vgg16": ("head", "block5", "block4", "all"), "inception_v3": ("head", "mixed9", "mixed6", "all")}


def sent_bytes(parameters, workers):
    """The bytes that each worker of a ring sends in a step, for float32 gradients."""
    return 2 * (workers - 1) / workers * 4 * parameters


def network_bytes():
    """All bytes that the machine has sent to itself so far."""
    line = next(line for line in Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith("lo:"))
    return int(line.split(":")[1].split()[8])


def build(keras):
    """A network of two blocks of a quarter of a million parameters each and a small head."""
    inputs = keras.Input((WIDTH,))
    outputs = inputs
    for number in (1, 2):
        outputs = keras.layers.Dense(WIDTH, activation="relu", name=f"block{number}.dense")(outputs)
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax", name="head.dense")(outputs))


def work():
    """Trains each phase in this process, of TF_CONFIG or alone, and prints a line of JSON for each."""
    from tl_keras import distribution, transfer

    strategy = distribution.make_strategy(distribution.choose("auto"))
    import keras
    import tensorflow as tf

    generator = np.random.default_rng(0)
    images = generator.normal(size=(BATCH, WIDTH)).astype("float32")
    labels = np.eye(10, dtype="float32")[generator.integers(0, 10, BATCH)]
    batches = tf.data.Dataset.from_tensors((images, labels)).repeat()
    data = distribution.shard_batches(batches, strategy)
    for phase in PHASES:
        seen = []
        watch = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs, seen=seen: seen.append((time.perf_counter(), network_bytes()))
        )
        with strategy.scope():
            model = build(keras)
            transfer.freeze_to(model, phase)
            model.compile(transfer.StagedAdamW(1e-3), "categorical_crossentropy", jit_compile=False)
        distribution.shard_steps(model)
        # The first epoch traces, the third only ends the second.
        model.fit(data, epochs=3, steps_per_epoch=STEPS, verbose=0, callbacks=[watch])
        (started, before), (ended, after) = seen[1:]
        parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
        found = {"phase": phase, "parameters": parameters, "rate": STEPS / (ended - started)}
        print(json.dumps(found | {"bytes": (after - before) / STEPS}), flush=True)
    distribution.barrier(strategy)


def measure(workers):
    """Starts so many processes and returns what the first one found for each phase."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(workers)]
    addresses = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    processes = []
    for index in range(workers):
        told = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = os.environ | ({"TF_CONFIG": json.dumps(told)} if workers > 1 else {})
        command = [sys.executable, __file__, "--work"]
        processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    printed = [process.communicate()[0] for process in processes]
    return [json.loads(line) for line in printed[0].splitlines() if line.startswith("{")]


def compare(rounds):
    """Prints the comparison of one process with several."""
    measured = [{workers: measure(workers) for workers in (1, *MEASURED)} for _ in range(rounds)]
    print("| phase | trainable parameters | processes | steps/s, to one process | bytes in a step | cost model |")
    print("|---|--:|--:|--:|--:|--:|")
    for number, phase in enumerate(PHASES):
        for workers in MEASURED:
            found = [one[workers][number] for one in measured]
            rates = [own["rate"] / one[1][number]["rate"] for own, one in zip(found, measured, strict=True)]
            parameters, sent = found[0]["parameters"], statistics.median(own["bytes"] for own in found)
            cells = [phase, f"{parameters:,}", str(workers), f"{statistics.median(rates):.2f}", f"{sent:,.0f}"]
            print(f"| {' | '.join(cells)} | {workers * sent_bytes(parameters, workers):,.0f} |")


def print_table():
    """Prints what a worker sends in a step, for the phases of three large networks."""
    import tl_keras as tl
    from tl_keras import transfer

    print(f"| network | phase | trainable parameters | {' | '.join(f'{n} workers' for n in COUNTED)} |")
    print("|---|---|--:|--:|--:|--:|")
    for name, phases in TABLE.items():
        model = tl.build_image_classifier(name, 10, weights="none")
        for phase in phases:
            transfer.freeze_to(model, phase)
            print_row(name, phase, sum(int(np.prod(weight.shape)) for weight in model.trainable_weights))
    for phase, parameters in bert_phases():
        print_row("BERT-base", phase, parameters)


def bert_phases():
    """Counts the parameters that learn in BERT-base: its head for 2 classes, its upper half, all of it."""
    import keras_hub

    network = keras_hub.models.BertBackbone(
        vocabulary_size=30522, num_layers=12, num_heads=12, hidden_dim=768, intermediate_dim=3072
    )
    layers = {layer.name: layer.count_params() for layer in network.layers}
    head = 768 * 2 + 2
    upper = sum(count for name, count in layers.items() if name in {f"transformer_layer_{n}" for n in range(6, 12)})
    return [("head", head), ("layer6 to layer11", head + upper), ("all", head + sum(layers.values()))]


def print_row(name, phase, parameters):
    """Prints what each worker sends in a step, in MB."""
    cells = [f"{sent_bytes(parameters, workers) / 1e6:,.2f} MB" for workers in COUNTED]
    print(f"| {name} | {phase} | {parameters:,} | {' | '.join(cells)} |")


def main():
    """Reads the flags and does what they ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="Only count, for three large networks.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: 3)")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    flags = parser.parse_args()
    print_table() if flags.table else work() if flags.work else compare(flags.rounds)


if __name__ == "__main__":
    main()
