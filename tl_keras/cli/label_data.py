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


def parse_data(arguments):
    """Parses a command line whose path is that of data or of the folder of a finished run.

    Args:
        arguments: list of strings.

    Returns:
        `RunConfig`; that of a run has the recipe "auto", since no network is trained.

    Raises:
        InputError: a flag is unknown, or the run is not finished or does not classify.
    """
    expanded = expand_shorthand(arguments)
    paths = [number for number, argument in enumerate(expanded) if argument.startswith(f"{PATH}=")]
    path = expanded[paths[0]].removeprefix(f"{PATH}=") if paths else ""
    if not os.path.isfile(os.path.join(path, "config.yaml")) or not path:
        return parse(arguments)
    run = load_run(path, [argument for number, argument in enumerate(expanded) if number not in paths])
    if not run.task.supports_auto:
        raise InputError(f"The run in {path!r} is of the task {run.config.task}, and label is for runs that classify.")
    model = derive(run.config.model, head_blocks=None, pooling=None)
    return derive(run.config, recipe=AUTO, phases=None, model=model)
