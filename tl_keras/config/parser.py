"""Parser of the command line and of configuration files; only this folder imports jsonargparse."""

import yaml
from jsonargparse import ActionConfigFile, ArgumentParser, set_loader

from tl_keras.config.config_files import shipped_configs
from tl_keras.config.run_config import RunConfig
from tl_keras.system.plain_yaml import load_yaml


def make_parser(actions):
    """Builds the parser of `RunConfig`.

    Args:
        actions: dict from the flag of an action, such as "--print_phases", to its help text.

    Returns:
        `jsonargparse.ArgumentParser`.
    """
    set_loader("yaml", load_yaml, exceptions=(yaml.YAMLError,))
    parser = ArgumentParser(
        prog="python -m tl_keras.train",
        description="Trains, evaluates and saves a model from data and pretrained weights.",
        exit_on_error=False,
        print_config=None,
    )
    parser.add_argument(
        "--config", action=ActionConfigFile, help=f"YAML file, or a shipped one: {', '.join(shipped_configs())}."
    )
    for flag, explanation in actions.items():
        parser.add_argument(flag, action="store_true", help=explanation)
    parser.add_class_arguments(RunConfig)
    return parser
