"""Compares finished runs in pairs: `python benchmarks/figure_checks/paired_runs.py RUN... -- RUN...`.

Prints the mean test accuracy and log-loss of both groups, and their paired difference with its standard error.
"""

import json
import statistics
import sys
from pathlib import Path


def describe(name, first, second):
    """Formats the means of a metric in both groups, and the mean difference ± its standard error."""
    differences = [one[name] - other[name] for one, other in zip(first, second, strict=True)]
    error = statistics.stdev(differences) / len(differences) ** 0.5
    means = (statistics.mean(run[name] for run in group) for group in (first, second))
    return "{} {:.3f} and {:.3f}, difference {:+.3f} ± {:.3f}".format(name, *means, statistics.mean(differences), error)


def main(arguments):
    """Reads the metrics of the runs and prints the comparison."""
    middle = arguments.index("--")
    groups = [
        [json.loads((Path(run) / "metrics.json").read_text(encoding="utf-8")) for run in part]
        for part in (arguments[:middle], arguments[middle + 1 :])
    ]
    print(f"{groups[0][0]['examples']} test examples")
    print(describe("accuracy", *groups), describe("log_loss", *groups), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
