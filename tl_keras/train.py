"""Trains, evaluates and saves a model: `python -m tl_keras.train`."""

import shlex
import shutil

from tl_keras import devices, fitting, transfer
from tl_keras.command_line import config_text, parse, run_verb
from tl_keras.recipes import expand_recipe
from tl_keras.results import format_results, write_results
from tl_keras.runs import open_run
from tl_keras.tasks import TASKS


def run_training(config):
    """Runs one training from data to report. The same call goes on where an interrupted one stopped.

    Args:
        config: `RunConfig`.

    Returns:
        Path of the run folder, which `load_run` opens.

    Raises:
        InputError: the configuration or the data cannot be used; the message says why.
    """
    task = TASKS[config.task]
    with open_run(config.run, config.data.path, config_text(config)) as run:
        if not run.finished:
            task.check_sources(config)
            splits = task.load_data(config)
            run.require_same_data(task.fingerprint(splits))
            print(task.describe(splits), flush=True)
            devices.set_up(config.seed, config.precision)
            model = task.build_model(config, splits)
            task.compile_model(config, model, transfer.StagedAdamW(weight_decay=config.weight_decay))
            phases = config.phases or choose_phases(config, model, len(splits.train))
            history = fitting.fit_phases(config, model, splits, phases, run)
            write_results(config, model, splits, history, run)
            shutil.rmtree(run / "checkpoints")
        print(format_results(run))
        print(
            f"run folder: {run.path}\nnext: python -m tl_keras.predict {shlex.quote(str(run.path))} FILE_OR_FOLDER",
            flush=True,
        )
    return run.path


def choose_phases(config, model, num_examples):
    """Spells the configured recipe out as phases for a model and an amount of data."""
    return expand_recipe(
        config.recipe,
        transfer.block_names(model),
        num_examples,
        batch_size=config.data.batch_size,
        unfreeze_from=config.unfreeze_from,
        epochs=config.epochs,
        learning_rate=config.learning_rate,
    )


def main(arguments):
    """Runs the verb with the arguments of a command line, a list of strings."""
    config = parse(arguments)
    run_training(config)


if __name__ == "__main__":
    run_verb(main)
