"""Finds out whether a command names data, or shows the demonstration on a shipped set."""

from itertools import pairwise
from pathlib import Path

from tl_keras.config.config_files import CONFIG_FOLDER, locate_configs, read_config
from tl_keras.config.shorthand import expand_shorthand
from tl_keras.errors import InputError

NOTE = (
    "demonstration: no data are given, so a classifier of the shipped emoji is trained; "
    "`python -m tl_keras.train FOLDER` trains on yours"
)


def is_demonstration(arguments, actions):
    """Returns whether a command line names no data.

    Args:
        arguments: list of strings of a valid command line.
        actions: flags that take no value.

    Raises:
        InputError: it names no data but a task or a configuration file of the user, so that data were forgotten.
    """
    arguments = locate_configs(expand_shorthand(arguments, actions))
    values = [
        argument.split("=", 1) if "=" in argument else [argument, following]
        for argument, following in pairwise([*arguments, ""])
    ]
    if any(flag == "--data.path" for flag, _ in values):
        return False
    files = [Path(value) for flag, value in values if flag == "--config"]
    if any((read_config(file).get("data") or {}).get("path") for file in files):
        return False
    own = [f"the configuration {file.name!r}" for file in files if file.parent != CONFIG_FOLDER]
    if named := own or [f"--task {value}" for flag, value in values if flag == "--task"]:
        raise InputError(
            f"No data are given beside {named[0]}: add the path of a folder or a table, or data: {{path: ...}} to the "
            "file (a shipped set by its name, such as emoji, reviews or tree_crowns)."
        )
    return not files
