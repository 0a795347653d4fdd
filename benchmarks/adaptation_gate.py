"""Measures what the label-free gate of adaptation keeps: `python benchmarks/adaptation_gate.py`.

A linear head on the principal components of frozen features, of EfficientNet-Lite0 for images and of MiniLM for texts,
is trained on few source labels and adapted to each target by several methods. A draw determines the labelled examples,
those that are held out and the target's test half. The table compares the accuracy on the test half of the source-only
head, of the head that the gate keeps, and of the one that information maximization alone keeps, as means over the
draws; the gain of the gate has its standard error. "worst" is the draw that loses most by what the gate keeps. Target
labels serve for the table only.
"""

import argparse
import functools
import math
import statistics
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

sys.path.insert(0, str(Path(__file__).parents[1]))

import corruptions
from few_label_suite.features import text_features
from few_label_suite.texts import read_reviews

PAIRS = {
    "MNIST → UCI digits": ("mnist", "uci_digits"),
    "UCI digits → MNIST": ("uci_digits", "mnist"),
    "emoji, Google → Twitter": ("emoji", "emoji_twitter"),
    "emoji, Twitter → Google": ("emoji_twitter", "emoji"),
    "product → film reviews": ("reviews", "movie_reviews"),
    "film → product reviews": ("movie_reviews", "reviews"),
}
CHANGES = corruptions.CORRUPTIONS | {
    "inverted": ImageOps.invert,
    "edges": lambda image: ImageOps.invert(image.convert("L").filter(ImageFilter.FIND_EDGES)).convert("RGB"),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "upside down": ImageOps.flip,
}
"""Changes of the emoji, of which each is a target domain."""
TEXTS = ("reviews", "movie_reviews")
METHODS = ("mcc", "self_training")
SIDE, EXAMPLES, COMPONENTS, LABELS, STEPS, BATCH_SIZE, RATE = 48, 360, 64, 10, 150, 32, 1e-2
GATE_VALIDATOR = "information_maximization"


def compute_features(domain):
    """Computes the features of a domain on the frozen network.

    Args:
        domain: name of a set of images or texts, or of a change of the emoji.

    Returns:
        Tuple of float32 (n, channels) and the names of the classes, str (n,).
    """
    if domain in TEXTS:
        return _text_features(domain)
    change = CHANGES.get(domain)
    return _image_features("emoji" if change else domain, change)


def _text_features(name):
    reviews = read_reviews(name)
    rows = np.random.default_rng(0).permutation(len(reviews))[:EXAMPLES]
    texts, labels = zip(*((reviews[row].content, reviews[row].label) for row in rows), strict=True)
    return text_features(texts)[-1], np.array(labels)


def _image_features(name, change):
    from tl_keras import data
    from tl_keras.models.images.building import build_backbone

    records = data.find_records(name)
    rows = np.random.default_rng(0).permutation(len(records))[:EXAMPLES]
    images = (Image.fromarray(data.read_upright(records.sources[row])).convert("RGB") for row in rows)
    pixels = np.stack([np.asarray((change(image) if change else image).resize((SIDE, SIDE))) for image in images])
    network = build_backbone("efficientnet_lite0", image_size=SIDE)
    features = network.predict(pixels.astype("float32"), batch_size=BATCH_SIZE, verbose=0).mean((1, 2))
    return features, np.asarray(records.class_names)[records.labels[rows]]


def measure(source, target, seed, methods):
    """Trains a head on labels of the source and adapts it by each method.

    Args:
        source: tuple of features (n, channels) and names of classes (n,).
        target: the same of the target.
        seed: seed of the draw.
        methods: methods of adaptation.

    Returns:
        Dict from the method to a list of (scores, accuracy on the target), the source-only head first.
    """
    from tl_keras import adaptation
    from tl_keras.config.adaptation_config import DEFAULT_WEIGHTS

    generator = np.random.default_rng(seed)
    classes = sorted({*source[1]} & {*target[1]})
    project = _projection(source[0])
    (x, y), (other, truth) = (_known(project(features), labels, classes) for features, labels in (source, target))
    order, half = generator.permutation(len(x)), generator.permutation(len(other))
    train = np.concatenate([order[y[order] == number][:LABELS] for number in range(len(classes))])
    held_out, adapting, testing = np.setdiff1d(order, train), half[::2], half[1::2]
    head, adapted = _networks(len(classes))
    one_hot = np.eye(len(classes), dtype="float32")[y]

    def fit(model, inputs, labelled):
        for variable in model.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        model.fit(inputs, one_hot[labelled], batch_size=BATCH_SIZE, shuffle=False, verbose=0)

    def score():
        outputs = [
            adaptation.DomainOutputs(part, head.predict_on_batch(part)) for part in (x[held_out], other[adapting])
        ]
        criteria = adaptation.VALIDATORS | {adaptation.COVERAGE: adaptation.class_coverage}
        scores = {name: criterion(outputs[0], y[held_out], outputs[1]) for name, criterion in criteria.items()}
        return scores, float(np.mean(head.predict_on_batch(other[testing]).argmax(axis=1) == truth[testing]))

    rows, others = (generator.choice(part, STEPS * BATCH_SIZE) for part in (train, adapting))
    head.set_weights([np.zeros(weight.shape, "float32") for weight in head.weights])
    fit(head, x[rows], rows)
    start, source_only, results = head.get_weights(), score(), {}
    for method in methods:
        results[method], (classifier, factor) = [source_only], adapted[method]
        for weight in DEFAULT_WEIGHTS[method]:
            head.set_weights(start)
            factor.assign(weight)
            fit(classifier, {"source": x[rows], "target": other[others]}, rows)
            results[method].append(score())
    return results


def _projection(features):
    """Returns a function that standardizes features and projects them on the first principal components."""
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-3
    components = np.linalg.svd((features - mean) / deviation, full_matrices=False)[2][:COMPONENTS]
    return lambda others: ((others - mean) / deviation) @ components.T / math.sqrt(COMPONENTS)


def _known(features, labels, classes):
    known = np.isin(labels, classes)
    return features[known].astype("float32"), np.searchsorted(classes, labels[known])


@functools.cache
def _networks(num_classes):
    """Builds a head and, by method, the classifier that adapts it with a variable as the weight of its loss."""
    import keras
    import tensorflow as tf

    from tl_keras import adaptation, models

    inputs = keras.Input((COMPONENTS,), name="features")
    head = keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax", name="head.output")(inputs))
    models.compile_classifier(head, adaptation.make_adaptation_optimizer(RATE, STEPS))
    adapted = {}
    for method, loss in (("mcc", adaptation.MinimumClassConfusion), ("self_training", adaptation.SelfTraining)):
        factor = tf.Variable(1.0)
        classifier = adaptation.AdaptedClassifier(head, loss(), factor)
        models.compile_classifier(classifier, adaptation.make_adaptation_optimizer(RATE, STEPS))
        adapted[method] = classifier, factor
    for model in (head, *(classifier for classifier, _ in adapted.values())):
        model.optimizer.build(model.trainable_variables)
    return head, adapted


def choose(results, is_gated):
    """Returns the accuracy on the target of the kept head, and whether it is an adapted one."""
    from tl_keras import adaptation

    (source_only, accuracy), *adapted = results
    best, kept = source_only[GATE_VALIDATOR], False
    for scores, own in adapted:
        objection = adaptation.find_objection(scores, source_only, GATE_VALIDATOR) if is_gated else None
        if objection is None and scores[GATE_VALIDATOR] > best:
            accuracy, best, kept = own, scores[GATE_VALIDATOR], True
    return accuracy, kept


def row(pair, method, draws):
    """Formats a row of the table from the results of each draw."""
    before = [results[0][1] for results in draws]
    gated, kept = zip(*(choose(results, True) for results in draws), strict=True)
    alone, _ = zip(*(choose(results, False) for results in draws), strict=True)
    gains = [after - first for after, first in zip(gated, before, strict=True)]
    error = statistics.stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else math.nan
    means = [f"{statistics.mean(values):.3f}" for values in (before, gated, alone)]
    gain = f"{statistics.mean(gains):+.3f} ± {error:.3f}"
    return f"| {pair} | {method} | {' | '.join(means)} | {gain} | {min(gains):+.3f} | {sum(kept)} of {len(kept)} |"


def main():
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", action="append", choices=[*PAIRS, *CHANGES], help="may be repeated (default: all)")
    parser.add_argument("--method", action="append", choices=METHODS, help="may be repeated (default: all)")
    parser.add_argument("--draws", type=int, default=12, help="number of draws (default: 12)")
    options = parser.parse_args()
    methods, known = options.method or METHODS, {}
    print("| domains | method | source-only | kept by the gate | by one validator | gain of the gate | worst | kept |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.pair or [*PAIRS, *CHANGES]:
        domains = PAIRS.get(name, ("emoji", name))
        for domain in domains:
            if domain not in known:
                known[domain] = compute_features(domain)
        draws = [measure(*(known[domain] for domain in domains), seed, methods) for seed in range(options.draws)]
        for method in methods:
            pair = name if name in PAIRS else f"emoji → {name}"
            print(row(pair, method, [results[method] for results in draws]), flush=True)


if __name__ == "__main__":
    main()
