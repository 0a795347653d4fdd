"""Reads the command line of `label`: data, or a finished run, whose data and settings are taken."""

import os

from tl_keras.config.derived import derive
from tl_keras.config.parsing import parse
from tl_keras.config.shorthand import expand_shorthand
from tl_keras.errors import InputError
from tl_keras.recipes import AUTO
from tl_keras.runs.trained_run import load_run

PATH = "--data.path"


def names_data(arguments):
    """Returns whether a command line names data, a run or a configuration file.

    Args:
        arguments: list of strings.
    """
    return any(argument.partition("=")[0] in (PATH, "--config") for argument in expand_shorthand(arguments))


def find_run(arguments):
    """Opens the finished run whose folder a command line gives as its data.

    Args:
        arguments: list of strings.

    Returns:
        `TrainedRun` with the other flags of the command line; None if it gives no folder of a run.

    Raises:
        InputError: the run is not finished, or a flag is unknown.
    """
    expanded = expand_shorthand(arguments)
    paths = [argument.removeprefix(f"{PATH}=") for argument in expanded if argument.startswith(f"{PATH}=")]
    if not (paths and paths[0] and os.path.isfile(os.path.join(paths[0], "config.yaml"))):
        return None
    return load_run(paths[0], [argument for argument in expanded if not argument.startswith(f"{PATH}=")])


def parse_data(arguments):
    """Parses a command line whose path is that of data or of the folder of a finished run.

    Args:
        arguments: list of strings.

    Returns:
        `RunConfig`; that of a run has the recipe "auto", since no network is trained.

    Raises:
        InputError: a flag is unknown, or the run is not finished or does not classify.
    """
    run = find_run(arguments)
    if run is None:
        return parse(arguments)
    if not run.task.supports_auto:
        raise InputError(f"The task of the run is {run.config.task}: expected a run that classifies, or its data.")
    model = derive(run.config.model, head_blocks=None, pooling=None)
    return derive(run.config, recipe=AUTO, phases=None, model=model)


def check_next_settings(config):
    """Refuses settings that `label next` cannot use.

    Args:
        config: `RunConfig`.

    Raises:
        InputError: names the setting.
    """
    if config.recipe != AUTO:
        raise InputError(f"label next trains no network, but the recipe is {config.recipe}: leave it out.")
    if config.data.multi_label or not isinstance(config.data.label_column, str):
        raise InputError("label next needs one label per example, but the configuration asks for several labels.")
