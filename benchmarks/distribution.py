"""Measures the traffic of several workers: `python benchmarks/distribution.py`, or computes it with `--table`.

Without flags it trains a small network phase by phase, in one process, and in two and four processes that communicate
over the loopback network. For each phase it prints the steps per second relative to one process with the same batch
(median over alternating rounds), and the bytes per step that all workers send, beside the formula: in a ring of N
workers each sends 2 (N - 1) / N times the bytes of the trainable parameters. Other traffic on the loopback network
counts, too.

With `--table` it computes the trainable parameters of VGG16, InceptionV3 and BERT-base in the phases of progressive
unfreezing, and the bytes that a worker sends for them per step.
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
    """Computes the bytes that each worker of a ring sends per step, for float32 gradients."""
    return 2 * (workers - 1) / workers * 4 * parameters


def network_bytes():
    """Reads the bytes sent over the loopback network so far."""
    line = next(line for line in Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith("lo:"))
    return int(line.split(":")[1].split()[8])


def build(keras):
    """Builds a network of two blocks of a quarter of a million parameters each and a small head."""
    inputs = keras.Input((WIDTH,))
    outputs = inputs
    for number in (1, 2):
        outputs = keras.layers.Dense(WIDTH, activation="relu", name=f"block{number}.dense")(outputs)
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax", name="head.dense")(outputs))


def work():
    """Trains each phase in this process, as a worker of TF_CONFIG or alone, and prints a line of JSON for each."""
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
        readings = []
        watch = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs, rows=readings: rows.append((time.perf_counter(), network_bytes()))
        )
        with strategy.scope():
            model = build(keras)
            transfer.freeze_to(model, phase)
            model.compile(transfer.StagedAdamW(1e-3), "categorical_crossentropy", jit_compile=False)
        distribution.shard_steps(model)
        # The first epoch traces, the third only ends the second.
        model.fit(data, epochs=3, steps_per_epoch=STEPS, verbose=0, callbacks=[watch])
        (started, before), (ended, after) = readings[1:]
        parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
        result = {"phase": phase, "parameters": parameters, "rate": STEPS / (ended - started)}
        print(json.dumps(result | {"bytes": (after - before) / STEPS}), flush=True)
    distribution.barrier(strategy)


def measure(workers):
    """Starts a number of processes and returns the results of the first one for each phase."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(workers)]
    addresses = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    processes = []
    for index in range(workers):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = os.environ | ({"TF_CONFIG": json.dumps(config)} if workers > 1 else {})
        command = [sys.executable, __file__, "--work"]
        processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    printed = [process.communicate()[0] for process in processes]
    return [json.loads(line) for line in printed[0].splitlines() if line.startswith("{")]


def compare(rounds):
    """Prints the comparison of several processes with one."""
    measured = [{workers: measure(workers) for workers in (1, *MEASURED)} for _ in range(rounds)]
    print("| phase | trainable parameters | processes | relative steps/s | bytes per step | formula |")
    print("|---|--:|--:|--:|--:|--:|")
    for number, phase in enumerate(PHASES):
        for workers in MEASURED:
            results = [one[workers][number] for one in measured]
            rates = [own["rate"] / one[1][number]["rate"] for own, one in zip(results, measured, strict=True)]
            parameters, sent = results[0]["parameters"], statistics.median(own["bytes"] for own in results)
            cells = [phase, f"{parameters:,}", str(workers), f"{statistics.median(rates):.2f}", f"{sent:,.0f}"]
            print(f"| {' | '.join(cells)} | {workers * sent_bytes(parameters, workers):,.0f} |")


def print_table():
    """Prints the bytes that a worker sends per step in the phases of three large networks."""
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
    """Counts the trainable parameters of BERT-base: head for 2 classes, upper half, all layers."""
    import keras_hub

    network = keras_hub.models.BertBackbone(
        vocabulary_size=30522, num_layers=12, num_heads=12, hidden_dim=768, intermediate_dim=3072
    )
    layers = {layer.name: layer.count_params() for layer in network.layers}
    head = 768 * 2 + 2
    upper = sum(count for name, count in layers.items() if name in {f"transformer_layer_{n}" for n in range(6, 12)})
    return [("head", head), ("layer6 to layer11", head + upper), ("all", head + sum(layers.values()))]


def print_row(name, phase, parameters):
    """Prints the megabytes that each worker sends per step."""
    cells = [f"{sent_bytes(parameters, workers) / 1e6:,.2f} MB" for workers in COUNTED]
    print(f"| {name} | {phase} | {parameters:,} | {' | '.join(cells)} |")


def main():
    """Prints one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="compute the traffic of three large networks")
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds (default: 3)")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    flags = parser.parse_args()
    print_table() if flags.table else work() if flags.work else compare(flags.rounds)


if __name__ == "__main__":
    main()
