"""Builds the model of a run and chooses its phases."""

from dataclasses import replace

from tl_keras import models, transfer
from tl_keras.phases import Plateau
from tl_keras.recipes import expand_recipe
from tl_keras.system import devices
from tl_keras.tasks.base import global_batch_size
from tl_keras.tasks.registry import TASKS
from tl_keras.training import fitting


def build_model(config, splits):
    """Builds and compiles the model of a run, with LoRA where it is configured.

    Args:
        config: `RunConfig`.
        splits: what the task's `load_data` returned.

    Returns:
        Compiled `keras.Model`.
    """
    task = TASKS[config.task]
    devices.set_up(config.seed, config.precision, config.deterministic)
    model = task.build_model(config, splits)
    if report := getattr(model, "weights_report", None):
        print(report, flush=True)
    if config.model.lora_rank:
        models.add_lora(model, config.model.lora_rank)
    task.compile_model(config, model, fitting.make_optimizer(config.optimizer))
    return model


def build_with_head(config, splits, solved):
    """Builds the model of a run, and sets a solved head on it.

    Args:
        config: `RunConfig` with the input of the head.
        splits: what the task's `load_data` returned.
        solved: `SolvedHead`.

    Returns:
        Compiled `keras.Model`.
    """
    model = build_model(config, splits)
    solved.head.set_on(model)
    return model


def choose_phases(config, model, num_examples, num_replicas=1):
    """Returns the configured phases, or those of the recipe for a model and an amount of data.

    Args:
        config: `RunConfig`.
        model: `keras.Model`.
        num_examples: number of training examples.
        num_replicas: devices that share a step.

    Returns:
        List of `Phase`.
    """
    if config.phases:
        return config.phases
    task, blocks = TASKS[config.task], transfer.block_names(model)
    phases = expand_recipe(
        config.recipe,
        blocks,
        num_examples,
        batch_size=global_batch_size(config, num_replicas),
        unfreeze_from=config.unfreeze_from,
        epochs=config.epochs,
        learning_rate=config.learning_rate,
        block_decay=config.block_decay,
        head_rate=task.head_learning_rate,
        lora=config.model.lora_rank is not None,
        new_blocks=sum(block in task.new_blocks for block in blocks),
        step_budget_factor=task.step_budget_factor,
    )
    until = None if config.patience is None else Plateau(patience=config.patience)
    return [replace(phase, until=until, restore_best=config.restore_best) for phase in phases]


def with_best_epochs(config, phases, num_validation):
    """Completes phases that do not say whether they end with the weights of their best epoch.

    Args:
        config: `RunConfig`.
        phases: list of `Phase`.
        num_validation: number of validation examples.

    Returns:
        List of `Phase` whose `restore_best` is True or False.
    """
    is_known = num_validation > 0 and TASKS[config.task].loss_ranks_epochs
    # Moving averages of the weights already take the place of the last weights; those of the statistics lag behind, so
    # that the loss of an epoch says little about its weights.
    ranked = is_known and config.optimizer.ema_momentum is None and config.batch_norm != "train"
    return [
        replace(phase, restore_best=ranked and phase.objective == "labels") if phase.restore_best is None else phase
        for phase in phases
    ]
