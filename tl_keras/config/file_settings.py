"""Settings of configuration files that the flags beside them make meaningless, which are left out with a note."""

from pathlib import Path

from tl_keras.config.config_files import read_config
from tl_keras.config.run_config import RunConfig
from tl_keras.errors import InputError, UnusedSetting


def build_config(parser, arguments):
    """Builds the configuration of a command line, without settings of files that its flags make meaningless.

    A file is written for one network: with another one in a flag, the settings of the first mean nothing. What stands
    beside each other, in flags or in files, is a conflict.

    Args:
        parser: `jsonargparse.ArgumentParser` of `RunConfig`.
        arguments: list of strings, with paths of checked files after `--config`.

    Returns:
        config: `RunConfig`.
        notes: list of sentences on the settings that were left out.

    Raises:
        InputError: settings contradict each other or are out of range.
    """
    values = parser.parse_args(arguments)
    in_files, reasons = _settings_in_files(values.config or []), []
    flags = {argument.partition("=")[0].lstrip("-").removesuffix("+") for argument in arguments}
    droppable = {name for name in in_files if not _has_flag(name, flags)}
    if "recipe" in flags and "phases" in droppable:
        reasons.append(_drop(parser, values, droppable, "phases", "phases, which recipe replaces"))
    while True:
        try:
            config = _instantiate(parser, values)
        except UnusedSetting as error:
            name = next((name for name in error.names if name in droppable), None)
            if name is None or (not reasons and not _is_consistent(parser, arguments)):
                raise
            reason = error.reason if name == error.names[0] else f"{name}, which {error.names[0]} replaces"
            reasons.append(_drop(parser, values, droppable, name, reason))
        else:
            return config, _notes(values.config, reasons)


def _settings_in_files(paths):
    """Returns the set of all settings in files, such as "data.path"."""
    return {name for path in paths for name in _names(read_config(Path(str(path))))}


def _names(mapping, prefix=""):
    for key, value in mapping.items():
        yield from _names(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]


def _has_flag(name, flags):
    parts = name.split(".")
    return any(".".join(parts[:length]) in flags for length in range(1, len(parts) + 1))


def _instantiate(parser, values):
    built = parser.instantiate(values)
    return RunConfig(**{name: built[name] for name in RunConfig.__dataclass_fields__})


def _is_consistent(parser, arguments):
    """Returns True if the files alone, without flags, are a valid configuration."""
    places = [index for index, argument in enumerate(arguments) if argument.partition("=")[0] == "--config"]
    files = [part for index in places for part in arguments[index : index + 1 + ("=" not in arguments[index])]]
    try:
        _instantiate(parser, parser.parse_args(files))
    except InputError:
        return False
    return True


def _drop(parser, values, droppable, name, reason):
    """Resets a setting to its default; returns the reason with the name."""
    values[name] = parser.get_default(name)
    droppable.discard(name)
    return reason if reason.startswith(name) else f"{name} ({reason})"


def _notes(paths, reasons):
    names = " and ".join(Path(str(path)).name for path in paths or ())
    return [f"left out of {names} because of the flags: {'; '.join(reasons)}."] if reasons else []
