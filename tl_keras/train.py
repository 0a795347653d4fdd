"""Trains, evaluates and saves a model: `python -m tl_keras.train`."""

import shlex
import shutil
import time
from pathlib import Path

from tl_keras import callbacks, distribution, evaluation, models, transfer
from tl_keras.cli.verbs import run_verb
from tl_keras.config.absolute_paths import with_absolute_paths
from tl_keras.config.config_text import config_text, phases_text
from tl_keras.config.parsing import parse
from tl_keras.recipes import expand_recipe
from tl_keras.runs.run_folder import RunFolder
from tl_keras.system import devices
from tl_keras.system.durations import parse_duration
from tl_keras.tasks.registry import TASKS
from tl_keras.training import adapting, fitting, replicas
from tl_keras.training.phase_features import PhaseFeatures
from tl_keras.training.results import format_results, write_results


def run_training(config):
    """Runs one training from data to report. The same call goes on where an interrupted one stopped.

    Args:
        config: `RunConfig`.

    Returns:
        Path of the run folder, which `load_run` opens.

    Raises:
        InputError: the configuration or the data cannot be used; the message says why.
    """
    started, config = time.monotonic(), with_absolute_paths(config)
    # Machines are joined before anything that TensorFlow computes; for the devices of this one it has time.
    strategy = start_strategy(config.distribute) if distribution.is_cluster(config.distribute) else None
    with (
        distribution.watch_workers(strategy),
        replicas.open_shared_run(config, config_text(config), strategy) as (run, finished),
    ):
        if not finished:
            _train(config, strategy, run, started)
        if distribution.is_chief(strategy):
            # Here, because a kill may have come between the results and this.
            shutil.rmtree(run / "checkpoints", ignore_errors=True)
            print(format_results(run))
            command = f"python -m tl_keras.predict {shlex.quote(str(run.path))} {TASKS[config.task].EXAMPLE}"
            print(f"run folder: {run.path}\nnext: {command}", flush=True)
        distribution.barrier(strategy)
    return run.path


def start_strategy(wanted):
    """Joins the devices that a run trains on, and says which and why.

    Args:
        wanted: `RunConfig.distribute`.

    Returns:
        `tf.distribute.Strategy`.
    """
    choice = distribution.choose(wanted)
    if choice.kind == "multi_worker":
        print(f"distribute: multi_worker ({choice.reason}), waiting for all of them", flush=True)
    strategy = distribution.make_strategy(choice)
    print(distribution.describe(choice, strategy), flush=True)
    return strategy


def _train(config, strategy, run, started):
    """Trains from data to report; of several workers the chief alone writes the report."""
    task = TASKS[config.task]
    task.check_sources(config)
    splits = task.load_data(config)
    target = adapting.load_target(config, splits) if config.adaptation.target else None
    replicas.require_same_data(_fingerprint(task, splits, target), run, strategy)
    print(task.describe(splits), flush=True)
    strategy = strategy or start_strategy(config.distribute)
    replicas.check_replicas(config, strategy)
    replicas.require_same_number(run, strategy)
    config = replicas.for_all_devices(config, strategy)
    replicas.check_batches(config, splits, strategy)
    task.preview(config, splits, run.path)
    with strategy.scope():
        model = build_model(config, splits)
    phases = config.phases or choose_phases(config, model, len(splits.train))
    if target:
        adapting.check_model(config, model, phases)
        print(*target.notes, adapting.describe(target), sep="\n", flush=True)
    if config.adaptation.masked_epochs:
        adapting.pretrain(config, model, target, run)
    if config.scale_learning_rate:
        phases = replicas.scale_rates(phases, strategy)
    history = fitting.fit_phases(config, model, splits, phases, run, _seconds_left(config, started))
    if distribution.is_chief(strategy):
        model = replicas.plain_model(lambda: build_model(config, splits), model)
        models.merge_lora(model)
        adapted = _adapt(config, model, splits, target, phases, run) if target else None
        write_results(config, model, splits, history, run, adapted)


def _adapt(config, model, splits, target, phases, run):
    """Adapts the model to the target, and trains another one on the target's labels where that was asked for."""
    record = adapting.adapt(config, model, splits, target, phases, run)
    if target.labelled:
        folder = RunFolder(run / "checkpoints" / "upper_bound")
        folder.path.mkdir(exist_ok=True)
        folder.signals = run.signals
        record["target"]["upper_bound"] = adapting.train_upper_bound(config, target, phases, folder, build_model)
    return record


def _fingerprint(task, splits, target):
    own = task.fingerprint(splits)
    return own | {"target": task.fingerprint(target.splits)} if target else own


def build_model(config, splits):
    """Builds and compiles the model of a run, for the data that it is to learn from."""
    task = TASKS[config.task]
    devices.set_up(config.seed, config.precision, config.deterministic)
    model = task.build_model(config, splits)
    if config.model.lora_rank:
        models.add_lora(model, config.model.lora_rank)
    task.compile_model(config, model, fitting.make_optimizer(config.optimizer))
    return model


def choose_phases(config, model, num_examples):
    """Spells the configured recipe out as phases for a model and an amount of data."""
    task, blocks = TASKS[config.task], transfer.block_names(model)
    return expand_recipe(
        config.recipe,
        blocks,
        num_examples,
        batch_size=config.data.batch_size,
        unfreeze_from=config.unfreeze_from,
        epochs=config.epochs,
        learning_rate=config.learning_rate,
        block_decay=config.block_decay,
        head_rate=task.HEAD_RATE,
        lora=config.model.lora_rank is not None,
        new_blocks=sum(block in task.NEW_BLOCKS for block in blocks),
        patience=task.PATIENCE,
    )


def print_phases(config):
    """Prints the phases of a run in place of training it: as a table, and as YAML to edit and give to --phases.

    Args:
        config: `RunConfig`.
    """
    splits = TASKS[config.task].load_data(config)
    model = build_model(config, splits)
    phases = config.phases or choose_phases(config, model, len(splits.train))
    plan = transfer.plan_phases(model, phases, config.batch_norm)
    print(callbacks.phase_table(plan))
    for sentence in fitting.find_warnings(config, model, phases, plan):
        print(f"note: {sentence}")
    for record in plan:
        rates = ", ".join(f"{block} {rate:.2g}" for block, rate in record["learning_rates"].items())
        print(f"learning rates of {record['name']}: {rates}")
    for line in PhaseFeatures(config, model, splits, phases).describe():
        print(line)
    print(f"phases:\n{phases_text(phases)}", end="")


def find_learning_rate(config):
    """Searches the learning rate of the first phase and draws its curve, in place of training.

    Args:
        config: `RunConfig`.
    """
    task = TASKS[config.task]
    splits = task.load_data(config)
    model = build_model(config, splits)
    phase = (config.phases or choose_phases(config, model, len(splits.train)))[0]
    transfer.freeze_to(model, phase.train, config.batch_norm)
    learner = fitting.make_learner(config, model, phase)
    curve = transfer.find_learning_rate(learner, task.training_inputs(config, splits, 0)["x"])
    picture = Path(f"{config.run}-learning_rate.png" if config.run else "learning_rate.png")
    evaluation.plot_learning_rate_curve(curve.rates, curve.losses, curve.smoothed, curve.suggestion, picture)
    found = "no rate to suggest" if curve.suggestion is None else f"suggested learning_rate {curve.suggestion:.2g}"
    print(f"phase {phase.name}: {found}{f'. {curve.remark}' if curve.remark else ''} ({picture})")


def _seconds_left(config, started):
    if config.max_time is None:
        return None
    return max(1.0, parse_duration(config.max_time) - (time.monotonic() - started))


ACTIONS = {
    "--print_phases": (print_phases, "Print the phases as a table and as YAML to edit, and exit."),
    "--find_learning_rate": (
        find_learning_rate,
        "Search the learning rate of the first phase, draw its curve, and exit.",
    ),
}
"""Flags that do something else than train: function of a `RunConfig`, and the help text."""


def main(arguments):
    """Runs the verb with the arguments of a command line, a list of strings."""
    action = next((ACTIONS[flag][0] for flag in arguments if flag in ACTIONS), run_training)
    action(parse(arguments, {flag: text for flag, (_, text) in ACTIONS.items()}))


if __name__ == "__main__":
    run_verb(main)
