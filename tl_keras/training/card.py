"""Writes the model card of a run: its title, how the model was trained, and on how many examples."""

import os

from tl_keras import evaluation
from tl_keras.errors import counted
from tl_keras.recipes import AUTO
from tl_keras.tasks.registry import TASKS


def run_title(config):
    """Names network and data by the last part of their paths, since the rest may be private.

    Args:
        config: `RunConfig`.
    """
    return f"{TASKS[config.task].network(config)[1]} on {os.path.basename(config.data.path)}"


def write_card(config, model, splits, metrics, run, extras, tuning=None):
    """Writes the model card of a run.

    Args:
        config: `RunConfig`.
        model: trained `keras.Model`.
        splits: what the task's `load_data` returned.
        metrics: dict of test metrics.
        run: `RunFolder`.
        extras: `ReportExtras`.
        tuning: `Tuning` of recipe auto.
    """
    task = TASKS[config.task]
    heading, network = task.network(config)
    evaluation.write_model_card(
        run / "model_card.md",
        title=run_title(config),
        model={
            heading: network,
            "Weights before training": config.model.weights,
            "Technique": _technique(config, tuning),
            **_name_adaptation(config.adaptation),
            "Parameters": model.count_params(),
        },
        data={
            "Data": os.path.basename(config.data.path),
            **count_examples(task.count(splits.train), task.count(splits.validation), tuning),
            "Test examples": task.count(splits.test),
        },
        metrics=metrics,
        class_names=splits.class_names,
        multi_label=config.data.multi_label,
        baselines=extras.baselines,
        verdict=extras.verdict,
        kind=config.task.replace("_", "-"),
        data_name=os.path.basename(config.data.path),
        **task.card_facts(config, model),
    )


def count_examples(training, validation, tuning=None):
    """Counts the labelled examples by their use; recipe auto may train on those that made its choices, too.

    Args:
        training: number of training examples.
        validation: number of validation examples.
        tuning: `Tuning` of recipe auto.

    Returns:
        Dict from label to number or text.
    """
    if tuning is None:
        return {"Training examples": training, "Validation examples": validation}
    trained, held_out = tuning.num_trained, max(training + validation - tuning.num_trained, 0)
    if not validation:
        use = f"{held_out}, taken from the training examples" if held_out else "0, the choices were cross-validated"
    else:
        use = f"{validation}, trained on after they had made the choices" if trained > training else validation
    return {"Training examples": trained, "Validation examples": use}


def _name_adaptation(settings):
    """Describes the adaptation to a target, if there was one; a sentence on its success stands below the figures."""
    if settings.target is None:
        return {}
    steps = (
        [f"method {settings.method}, kept if better by {settings.validator} and refused by no other criterion"]
        if settings.method
        else []
    )
    if settings.masked_epochs:
        steps.insert(0, f"{counted(settings.masked_epochs, 'epoch')} of masked language modeling")
    return {"Adaptation": f"to {os.path.basename(settings.target)}: {', then '.join(steps)}"}


def _name_blocks(head_blocks):
    """Names the blocks that a head reads."""
    if isinstance(head_blocks, list):
        return f"the blocks {', '.join(head_blocks)}"
    return {"last": "the last block", "all": "all blocks"}[head_blocks]


def _technique(config, tuning):
    technique = "phases written by hand" if config.phases else config.recipe
    if config.recipe == AUTO:
        technique = f"auto: head on {_name_blocks(config.model.head_blocks)}, pooling {config.model.pooling}"
        technique += f"; {tuning.kept}" if tuning.history else ""
    return f"{technique}, LoRA of rank {config.model.lora_rank}" if config.model.lora_rank else technique
