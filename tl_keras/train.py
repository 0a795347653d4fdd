"""Trains, evaluates and saves a model: `python -m tl_keras.train`."""

from tl_keras.cli.early_interrupts import end_silently

if __name__ == "__main__":
    end_silently()


import functools
import shlex

from tl_keras.cli.demonstration import NOTE, is_demonstration
from tl_keras.cli.train_help import asks_for_help, help_text
from tl_keras.cli.verbs import run_verb
from tl_keras.config.parsing import parse
from tl_keras.training.actions import find_learning_rate, print_phases
from tl_keras.training.run import run_training

ACTIONS = {
    "--print_phases": (print_phases, "Print the phases as a table and as YAML to edit, and exit."),
    "--find_learning_rate": (
        find_learning_rate,
        "Search the learning rate of the first phase, draw the loss over the rates, and exit.",
    ),
}
"""Flags that do something else than train: function of a `RunConfig`, and the help text."""


def main(arguments):
    """Runs the verb.

    Args:
        arguments: list of strings of a command line.
    """
    explanations = {flag: text for flag, (_, text) in ACTIONS.items()}
    if asks_for_help(arguments):
        print(help_text(arguments, explanations))
        return
    command = shlex.join(["python", "-m", "tl_keras.train", *arguments])
    training = functools.partial(run_training, command=command)
    action = next((ACTIONS[flag][0] for flag in arguments if flag in ACTIONS), training)
    config = parse(arguments, explanations)
    if is_demonstration(arguments, ACTIONS):
        print(NOTE, flush=True)
    action(config)


if __name__ == "__main__":
    run_verb(main)
