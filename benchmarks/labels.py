"""Measures `label next`, `label check` and predicted gains: `benchmarks/labels.py next --folder runs/few_labels`.

All work on the features of the data sets of the few-label benchmark, which are computed once and stored in the folder;
the head is the one of recipe auto, on the averages of all blocks.

- next: of the training pool, labels are chosen in rounds of 5, 10, 20 and 50 a class, the first without any label. The
  random choice is repeated `RANDOM_DRAWS` times a draw, also with numbers in between, which says how many random labels
  reach the same accuracy. A draw determines the order of the pool and all random numbers.
- check: labels are changed to another class at random, and the recall is the share of the changed ones among as many
  suggestions; the original labels may be wrong, too, which lowers it. At last the flagged labels are dropped, and the
  accuracies of heads on all and on the other labels compared.
- gain: what reports predict that more labels bring, `probing.predict_label_gain`, beside what they bring on the test
  examples; means over the draws, with the standard error of the measured one.
"""

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from few_label_suite.draws import ALL, draw_examples
from few_label_suite.sets import IMAGES, REAL_SETS, SETS, TEXTS
from few_label_suite.solved_heads import read_features

from tl_keras import probing
from tl_keras.studies.pool_features import Projection

ROUNDS = (5, 10, 20, 50)
RANDOM_ROUNDS = (5, 7, 10, 14, 20, 28, 40, 50, 70)
RANDOM_DRAWS = 2
INVERSE_PENALTY = 100.0
IMAGE_SIZE = 128
WIDTHS = {IMAGES: (32, 16, 24, 40, 80, 112, 192, 320, 1280), TEXTS: (384,) * 7}
"""Numbers of features of the blocks of EfficientNet-Lite0 and MiniLM."""
RATES = (0.05, 0.1, 0.2)
GAIN_BUDGETS = (10, 20, 50)


class FeaturesOfSet:
    """Holds a data set as features.

    Args:
        name: key of `SETS`.
        folder: `pathlib.Path` of the benchmark.

    Attributes:
        pool: float32 (n, width), training examples.
        pool_labels: int (n,).
        test: the same of the test examples.
        test_labels: the same.
        num_classes: number of classes.
        feature_set: `probing.FeatureSet` of all of them.
    """

    def __init__(self, name, folder):
        draw = draw_examples(name, ALL, 0, folder / "sets")
        job = {"train": draw.train, "test": draw.test, "kind": SETS[name].kind, "weights": SETS[name].weights}
        job |= {"features": str(folder / "features" / f"{name}.npz"), "image_size": IMAGE_SIZE}
        features, _ = read_features(job)
        classes, count = sorted(set(draw.train["labels"])), len(draw.train["items"])
        self.pool, self.test = features[:count], features[count:]
        self.pool_labels, self.test_labels = (
            np.array([classes.index(label) for label in part["labels"]]) for part in (draw.train, draw.test)
        )
        self.num_classes = len(classes)
        widths = WIDTHS[SETS[name].kind]
        groups = np.repeat(np.arange(len(widths)), widths)
        self.feature_set = probing.FeatureSet("all blocks", np.arange(len(groups)), groups)

    def solve(self, rows, labels=None):
        """Solves a head on some examples of the pool."""
        labels = self.pool_labels[rows] if labels is None else labels
        return probing.solve_head(self.pool[rows], labels, self.num_classes, self.feature_set, INVERSE_PENALTY)

    def accuracy(self, head):
        """Measures a head on the test examples."""
        return float(np.mean(head.logits(self.test).argmax(axis=1) == self.test_labels))


def choose_in_rounds(examples, draw):
    """Returns the accuracy of heads on the labels that `label next` chooses, one for each of `ROUNDS`."""
    pool = np.random.default_rng(draw).permutation(len(examples.pool))
    projection = Projection(SimpleNamespace(feature_set=lambda _: examples.feature_set), examples.pool[pool], draw)
    points = projection(examples.pool[pool])
    known, head, accuracies = np.zeros(len(pool), bool), None, []
    for budget in ROUNDS:
        unknown = np.flatnonzero(~known)
        count = min(budget * examples.num_classes, len(pool)) - known.sum()
        if count and head is None:
            chosen = probing.select_typical(points, count, None, draw)
        elif count:
            probabilities = head.probabilities(examples.pool[pool[unknown]])
            chosen = unknown[probing.select_uncertain(points[unknown], probabilities, count, points[known], draw)]
        known[chosen] = True
        head = examples.solve(pool[known])
        accuracies.append(examples.accuracy(head))
    return accuracies


def choose_at_random(examples, seed):
    """Returns the accuracy of heads on random labels, one for each of `RANDOM_ROUNDS`."""
    pool = np.random.default_rng([seed, 1]).permutation(len(examples.pool))
    return [examples.accuracy(examples.solve(pool[: budget * examples.num_classes])) for budget in RANDOM_ROUNDS]


def equal_budget(random, accuracy):
    """Returns how many random labels a class reach an accuracy, by interpolation; the last budget if more."""
    return float(np.exp(np.interp(accuracy, np.maximum.accumulate(random), np.log(RANDOM_ROUNDS))))


def measure_next(sets, draws):
    """Prints the accuracies by budget, the labels that are saved, and the sets that lose."""
    chosen, random = {}, {}
    for name, examples in sets.items():
        chosen[name] = np.array([choose_in_rounds(examples, draw) for draw in range(draws)])
        random[name] = np.array([choose_at_random(examples, seed) for seed in range(draws * RANDOM_DRAWS)])
    at = [RANDOM_ROUNDS.index(budget) for budget in ROUNDS]
    curve = np.mean([values.mean(axis=0) for values in random.values()], axis=0)
    means = np.mean([values.mean(axis=0) for values in chosen.values()], axis=0)
    print("| labels a class | random | label next | random labels for that | saved |\n|---|---|---|---|---|")
    for place, budget in enumerate(ROUNDS):
        equal = equal_budget(curve, means[place])
        cells = [f"{curve[at[place]]:.3f}", f"{means[place]:.3f}", f"{equal:.1f}", f"{1 - budget / equal:.0%}"]
        print(f"| {budget} | {' | '.join(cells)} |")
    print(f"\n| set | {' | '.join(map(str, ROUNDS))} |\n|{'---|' * (1 + len(ROUNDS))}")
    for name in sets:
        gains = chosen[name].mean(axis=0) - random[name].mean(axis=0)[at]
        errors = np.hypot(_standard_errors(chosen[name]), _standard_errors(random[name])[at])
        cells = [f"{gain:+.3f} ± {error:.3f}" for gain, error in zip(gains, errors, strict=True)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _standard_errors(values):
    return values.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.zeros(values.shape[1])


def check_changed_labels(examples, budget, rate, draw):
    """Changes labels of a part of the pool, and checks them.

    Returns:
        List of the recall; the share of changed labels among the flagged and among the confidently flagged ones; and
        the test accuracy of heads on all labels, on those that are not flagged, and not confidently flagged.
    """
    generator = np.random.default_rng([draw, 2])
    order = generator.permutation(len(examples.pool))
    rows = np.concatenate([order[examples.pool_labels[order] == one][:budget] for one in range(examples.num_classes)])
    labels = examples.pool_labels[rows].copy()
    changed = generator.permutation(len(labels))[: round(rate * len(labels))]
    labels[changed] = (
        labels[changed] + generator.integers(1, examples.num_classes, len(changed))
    ) % examples.num_classes
    features, folds = examples.pool[rows], probing.make_folds(labels, draw)
    best = probing.measure_feature_set(features, labels, examples.num_classes, examples.feature_set, folds)
    probabilities = probing.out_of_fold_probabilities(
        features,
        labels,
        examples.num_classes,
        examples.feature_set,
        best.inverse_penalty,
        probing.make_folds(labels, draw, every=True),
    )
    errors = probing.find_label_errors(probabilities, labels)
    confident = errors.rows[errors.confident]
    figures = [_share(np.isin(changed, errors.rows[: len(changed)]))]
    figures += [_share(np.isin(flagged, changed)) for flagged in (errors.rows, confident)]
    for dropped in ([], errors.rows, confident):
        kept = np.setdiff1d(np.arange(len(rows)), dropped)
        figures.append(examples.accuracy(examples.solve(rows[kept], labels[kept])))
    return figures


def measure_check(sets, draws, budget):
    """Prints the recall by set and share of changed labels, and what dropping the flagged ones does."""
    figures = {}
    print(f"| set | {' | '.join(f'{rate:.0%} changed' for rate in RATES)} |\n|{'---|' * (1 + len(RATES))}")
    for name, examples in sets.items():
        for rate in (0, *RATES):
            cells = [check_changed_labels(examples, budget, rate, draw) for draw in range(draws)]
            figures[name, rate] = np.array(cells)
        recalls = [figures[name, rate][:, 0] for rate in RATES]
        print(f"| {name} | {' | '.join(f'{one.mean():.2f} ± {one.std():.2f}' for one in recalls)} |", flush=True)
    means = {rate: np.mean([figures[name, rate].mean(axis=0) for name in sets], axis=0) for rate in (0, *RATES)}
    print(f"| mean | {' | '.join(f'{means[rate][0]:.2f}' for rate in RATES)} |\n")
    head = ["changed", "changed of the flagged", "of the confident", "accuracy", "without the flagged"]
    print(f"| {' | '.join([*head, 'without the confident'])} |")
    print(f"|{'---|' * 6}")
    for rate, (_, flagged, confident, *accuracies) in means.items():
        shown = ["–", "–"] if not rate else [f"{flagged:.2f}", f"{confident:.2f}"]
        print(f"| {rate:.0%} | {' | '.join([*shown, *(f'{one:.3f}' for one in accuracies)])} |")


def predict_and_measure(examples, budget, draw):
    """Returns the ends of the predicted gain, the measured gain and the number of further labels; None without one."""
    order = np.random.default_rng([draw, 3]).permutation(len(examples.pool))
    by_class = [order[examples.pool_labels[order] == one] for one in range(examples.num_classes)]
    rows = np.concatenate([own[:budget] for own in by_class])
    labels, features = examples.pool_labels[rows], examples.pool[rows]

    def predict(train, held_out):
        return examples.solve(rows[train]).logits(features[held_out]).argmax(axis=1)

    folds = probing.make_folds(labels, draw)
    gain = probing.predict_label_gain(labels, examples.num_classes, folds, predict, draw)
    if gain is None:
        return None
    further = round(gain.labels / examples.num_classes)
    more = np.concatenate([own[: budget + further] for own in by_class])
    if len(more) < len(rows) + further * examples.num_classes:
        return None
    measured = examples.accuracy(examples.solve(more)) - examples.accuracy(examples.solve(rows))
    return gain.low, gain.high, measured, gain.labels


def measure_gain(sets, draws):
    """Prints the predicted ranges of the gains from more labels beside the measured gains."""
    print("| set | labels | more | predicted | measured |\n|---|---|---|---|---|")
    for name, examples in sets.items():
        for budget in GAIN_BUDGETS:
            found = [predict_and_measure(examples, budget, draw) for draw in range(draws)]
            if None in found:
                continue
            low, high, measured, number = np.mean(found, axis=0)
            error = _standard_errors(np.array(found))[2]
            shown = [f"{100 * low:+.1f} to {100 * high:+.1f}", f"{100 * measured:+.1f} ± {100 * error:.1f}"]
            print(f"| {name} | {budget * examples.num_classes} | {number:.0f} | {' | '.join(shown)} |", flush=True)


def _share(values):
    return float(np.mean(values)) if len(values) else 0.0


def main(arguments=None):
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", choices=("next", "check", "gain"), help="what to measure")
    parser.add_argument("--folder", type=Path, required=True, help="folder of the data sets and their features")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=REAL_SETS, help="data sets (default: all)")
    parser.add_argument("--draws", type=int, default=5, help="number of draws (default: 5)")
    parser.add_argument("--budget", type=int, default=50, help="check: labels of each class (default: 50)")
    options = parser.parse_args(arguments)
    sets = {name: FeaturesOfSet(name, options.folder) for name in options.sets}
    if options.question == "next":
        measure_next(sets, options.draws)
    elif options.question == "gain":
        measure_gain(sets, options.draws)
    else:
        measure_check(sets, options.draws, options.budget)


if __name__ == "__main__":
    main()
