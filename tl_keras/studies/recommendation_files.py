"""Writes a recommendation: a table, a plot, figures as JSON, and a configuration for training."""

import json
from dataclasses import replace

import numpy as np

from tl_keras import evaluation, probing
from tl_keras.config.config_text import config_text
from tl_keras.errors import counted
from tl_keras.studies.markdown import format_table
from tl_keras.studies.recommendation import describe_probe
from tl_keras.studies.result_tables import RECOMMENDATION
from tl_keras.system.atomic_files import atomic_path
from tl_keras.system.escaping import for_lines


def write_recommendation(recommendation, config, folder):
    """Writes the files of a recommendation.

    Args:
        recommendation: `Recommendation`.
        config: `RunConfig` that the backbones were compared with.
        folder: `pathlib.Path` of the folder, created if missing.

    Returns:
        List of the `pathlib.Path` of the files: recommendation.md, .json and .png, and train.yaml.
    """
    folder.mkdir(parents=True, exist_ok=True)
    best = replace(config, model=replace(config.model, backbone=recommendation.best.name), run=None)
    texts = {
        "recommendation.md": for_lines("\n".join(["# Which backbone?\n", *summary_lines(recommendation), ""])),
        "recommendation.json": json.dumps(_figures(recommendation), indent=2) + "\n",
        "train.yaml": config_text(best),
    }
    for name, text in texts.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    evaluation.plot_backbones(
        [
            (probe.name, probe.milliseconds, probe.held_out.loss, probing.standard_error(probe.held_out.losses))
            for probe in recommendation.probes
        ],
        [
            (block, float(np.mean(losses)), probing.standard_error(losses))
            for block, losses in recommendation.block_losses.items()
        ],
        folder / "recommendation.png",
    )
    return [folder / name for name in RECOMMENDATION]


def summary_lines(recommendation):
    """Returns the table and the sentences of a recommendation, as lines of Markdown.

    Args:
        recommendation: `Recommendation`.
    """
    rows = [describe_probe(recommendation, probe) for probe in recommendation.probes]
    best, cheapest, block = recommendation.best, recommendation.cheapest_tied, recommendation.informed_block
    lines = [*format_table([list(rows[0]), *(list(row.values()) for row in rows)]), ""]
    lines.append(
        f"Log-loss and accuracy are those of {counted(best.metrics['examples'], 'example')} held out from heads on "
        "frozen features, in cross-validation."
    )
    if len(rows) == 1:
        lines.append(f"{best.name} is the only backbone, so there is nothing to choose.")
    elif cheapest is not best:
        share = f"{100 * cheapest.milliseconds / best.milliseconds:.0f} %"
        lines.append(f"{cheapest.name} is tied with {best.name} on these labels, and takes {share} of its time.")
    blocks, lowest = list(recommendation.block_losses), recommendation.best_block
    start = blocks[min(blocks.index(block) + 1, len(blocks) - 1)]
    tied = "" if block == lowest else f", and {block} is the earliest that is tied with it"
    lines.append(
        f"In {best.name} a head on {lowest} alone has the lowest log-loss{tied}: to fine-tune what comes after "
        f"{block}, give `--recipe progressive_unfreezing --unfreeze_from {start}`."
    )
    lines += _verification(recommendation)
    return lines + [f"{name} was left out: {reason}" for name, reason in recommendation.skipped.items()]


def _verification(recommendation):
    verified = recommendation.verified
    if not verified:
        return []
    shown = ", ".join(f"{name} {accuracy:.3f}" for name, accuracy in verified.items())
    values = list(verified.values())
    order = "the order held" if values == sorted(values, reverse=True) else "the order did not hold"
    ending = f": {order}" if len(verified) > 1 else ""
    return [f"Fine-tuned, accuracy on the validation examples: {shown}{ending}."]


def _figures(recommendation):
    return {
        "examples": recommendation.best.metrics["examples"],
        "backbones": [
            {
                "name": probe.name,
                "image_size": probe.image_size,
                "log_loss": probe.held_out.loss,
                "standard_error": probing.standard_error(probe.held_out.losses),
                "tied_with_best": bool(recommendation.is_tied(probe)),
                "neighbour_accuracy": probe.neighbour_accuracy,
                "cpu_milliseconds": probe.milliseconds,
                "parameters": probe.parameters,
                "activation_bytes": probe.activation_bytes,
            }
            for probe in recommendation.probes
        ],
        "block_log_losses": {block: float(losses.mean()) for block, losses in recommendation.block_losses.items()},
        "verified": recommendation.verified,
        "skipped": recommendation.skipped,
    }
