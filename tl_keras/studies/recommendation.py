"""Ranks backbones by heads on their frozen features, and checks the order by fine-tuning the best."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tl_keras import evaluation, probing
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import RunFolder
from tl_keras.studies.backbone_probes import LABELLED, BackboneProbe, load_for_backbone, probe_backbone
from tl_keras.studies.candidate_backbones import nothing_left
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.decisions import with_default_recipe
from tl_keras.training.run import run_training

STANDARD_ERRORS = 2
"""Standard errors of the paired difference within which two backbones are tied."""


@dataclass(frozen=True, eq=False)
class Recommendation:
    """Holds the ranking of the backbones.

    Attributes:
        probes: list of `BackboneProbe`, the lowest log-loss first.
        block_losses: dict from each block of the best backbone to the log-loss of each held-out example, float64 (m,),
            by a head on this block alone; input side first.
        skipped: dict from the name of a backbone that could not be measured to the reason.
        verified: dict from the name of a fine-tuned backbone to the accuracy on its validation examples.
    """

    probes: list[BackboneProbe]
    block_losses: dict
    skipped: dict
    verified: dict

    @property
    def best(self):
        """`BackboneProbe` of the lowest log-loss."""
        return self.probes[0]

    def is_tied(self, probe):
        """Returns whether the difference of a backbone from the best one is within `STANDARD_ERRORS`."""
        return _is_tied(probe.held_out.losses, self.best.held_out.losses)

    @property
    def cheapest_tied(self):
        """`BackboneProbe` of the cheapest one that is tied with the best."""
        return min(filter(self.is_tied, self.probes), key=lambda probe: probe.milliseconds)

    @property
    def best_block(self):
        """The block of the best backbone whose features alone have the lowest log-loss."""
        return min(self.block_losses, key=lambda block: np.mean(self.block_losses[block]))

    @property
    def informed_block(self):
        """The earliest block of the best backbone whose features are tied with those of its best block."""
        lowest = self.block_losses[self.best_block]
        return next(block for block, values in self.block_losses.items() if _is_tied(values, lowest))


def recommend(candidates, num_verified, folder):
    """Ranks backbones on a user's data; those that cannot be measured are named, and the others ranked.

    Args:
        candidates: `Candidates` of a configuration.
        num_verified: number of the best backbones to fine-tune.
        folder: path of the folder for the runs of these.

    Returns:
        `Recommendation`.

    Raises:
        InputError: the data cannot be used, or none of the backbones can be measured.
    """
    for name, reason in candidates.skipped.items():
        print(f"{name} is left out: {reason}", flush=True)
    first = next(iter(candidates.configs.values()))
    splits = TASKS[first.task].load_data(first)
    print(TASKS[first.task].describe(first, splits), flush=True)
    measured, sized, skipped = [], {}, dict(candidates.skipped)
    for name, candidate in candidates.configs.items():
        print(f"{name}:", flush=True)
        try:
            sized[name], own_splits = load_for_backbone(candidate, splits, LABELLED)
            measured.append(probe_backbone(sized[name], own_splits))
        except InputError as error:
            print(f"{name} is left out: {error}", flush=True)
            skipped[name] = str(error)
    if not measured:
        raise nothing_left(skipped)
    measured.sort(key=lambda pair: pair[0].held_out.loss)
    probes, measure_blocks = [probe for probe, _ in measured], measured[0][1]
    verified = {probe.name: _fine_tune(sized[probe.name], folder / probe.name) for probe in probes[:num_verified]}
    return Recommendation(probes, measure_blocks(), skipped, verified)


def _fine_tune(config, folder):
    """Fine-tunes a backbone, or reads the run that did, and returns the accuracy in validation of the epoch it kept."""
    run = RunFolder(Path(run_training(replace(with_default_recipe(config), run=str(folder)))))
    ended = run.read_log("phase", {"best_epoch": int})
    return float(run.read_json("history.json")["val_accuracy"][ended[-1]["best_epoch"] if ended else -1])


def _is_tied(losses, lowest):
    difference = losses - lowest
    return difference.mean() <= STANDARD_ERRORS * probing.standard_error(difference)


def describe_probe(recommendation, probe):
    """Formats what was measured on a backbone, a text for each column of the table.

    Args:
        recommendation: `Recommendation`.
        probe: one of its `probes`.

    Returns:
        Dict from the head of a column to a text.
    """
    accuracy = "accuracy" if "accuracy" in probe.metrics else "subset_accuracy"
    verdict = "best" if probe is recommendation.best else "tied with the best"
    neighbours, memory = probe.neighbour_accuracy, probe.activation_bytes
    return {
        "backbone": probe.name,
        "pixels": "–" if probe.image_size is None else str(probe.image_size),
        "log-loss": f"{probe.held_out.loss:.3f}",
        "accuracy (95 % interval)": evaluation.format_figure(probe.metrics, accuracy),
        "nearest neighbours": "–" if neighbours is None else f"{neighbours:.3f}",
        "CPU ms an example": f"{probe.milliseconds:.1f}",
        "million weights": f"{probe.parameters / 1e6:.1f}",
        "MB of activations": "–" if memory is None else f"{memory / 1e6:.0f}",
        "": verdict if recommendation.is_tied(probe) else "",
    }
