"""Runs a verb: each error becomes one line and an exit code."""

import argparse
import contextlib
import io
import os
import re
import sys

from tl_keras.cli.early_interrupts import report_interrupts
from tl_keras.errors import (
    MAX_QUOTED,
    VALUE_KINDS,
    InputError,
    LostWorker,
    RunStopped,
    first_line,
    is_disk_full,
    is_out_of_memory,
    quoted,
    unknown_name,
)
from tl_keras.system.devices import start_lean
from tl_keras.system.escaping import EscapedStream, for_terminal


class OneOfTwoNames(argparse.Action):
    """Stores the value of a flag with two names, and refuses another value under the other name."""

    def __call__(self, parser, namespace, values, option_string=None):
        """Stores the value."""
        before = getattr(namespace, self.dest)
        if before not in (None, values):
            names = " and ".join(self.option_strings)
            raise InputError(f"{names} are one setting: got {quoted(before)} and {quoted(values)}, give one of them.")
        setattr(namespace, self.dest, values)


class OneSentenceParser(argparse.ArgumentParser):
    """The parser of the small verbs: full flag names only, and a mistake is an `InputError`."""

    def __init__(self, prog, description):
        super().__init__(prog=prog, description=description, allow_abbrev=False)

    @property
    def flags(self):
        """Flags of the verb, a list of their names with dashes."""
        options = re.findall(r"^  -.*", self.format_help(), re.MULTILINE)
        return re.findall(r"--[\w.]+", " ".join(options))

    def parse_args(self, args=None, namespace=None):
        """Parses arguments that may stand before and behind flags; behind `--` all are arguments."""
        parse = super().parse_args if "--" in (args or ()) else self.parse_intermixed_args
        return parse(args, namespace)

    def error(self, message):
        """Raises what is wrong."""
        if unknown := re.match(r"(?s)unrecognized arguments:.*? (--[^ =]+)", message):
            raise unknown_name("flag", unknown[1], self.flags)
        if wrong := re.match(r"(?s)argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", message):
            raise unknown_name(wrong[1], wrong[2], re.findall(r"[\w.-]+", wrong[3]))
        if wrong := re.match(r"argument (\S+): invalid (int|float) value: (.*)", message):
            raise InputError(f"{wrong[1]}: expected {VALUE_KINDS[wrong[2]]}, got {wrong[3][:MAX_QUOTED]}.")
        hint = f"`{self.prog} --help` shows what it takes"
        if message.endswith("expected one argument"):
            hint += ", and a value that starts with - follows an equals sign, as in --flag=-value"
        raise InputError(f"{message[:1].upper()}{message[1:]}: {hint}.")


def run_verb(verb, arguments=None):
    """Runs a verb, and reports its errors in one sentence with an exit code.

    What is printed contains no control characters, since names in files of strangers may.

    A run that SIGINT or SIGTERM stopped exits with 130 or 143, one that lost another worker with 3.

    Args:
        verb: function of a list of arguments.
        arguments: list of strings; None takes those of the process.
    """
    report_interrupts()
    # Python has no stream for what the shell has closed, as `>&-` does.
    out, error = EscapedStream(sys.stdout), EscapedStream(sys.stderr or io.StringIO())
    if sys.stdout is None:
        print("error: The standard output is closed: redirect it to a file or to /dev/null.", file=error)
        raise SystemExit(2)
    if arguments is None:
        start_lean()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        _run(verb, sys.argv[1:] if arguments is None else arguments)


def _run(verb, arguments):
    try:
        verb(arguments)
    except (InputError, RunStopped) as error:
        print(f"error: {for_terminal(str(error))}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, InputError) else 1) from None
    except LostWorker as error:
        print(f"error: {error}", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        # Not by sys.exit: on its way out TensorFlow waits up to a minute for the worker that is gone.
        os._exit(3)
    except KeyboardInterrupt as stop:
        # `Interrupted` has the exit code of its signal.
        raise SystemExit(getattr(stop, "exit_code", 130)) from None
    except BrokenPipeError:
        # Whoever read the output has had enough, as `head` does; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except Exception as error:
        if is_disk_full(error):
            sentence = f"The disk is full ({_reason(error)}): free some space and try again."
        elif is_out_of_memory(error):
            sentence = (
                f"The memory is exhausted ({_reason(error)}): give a smaller --data.batch_size or --data.image_size, "
                "or free some memory and try again."
            )
        else:
            raise
        print(f"error: {for_terminal(sentence)}", file=sys.stderr)
        raise SystemExit(1) from None


def _reason(error):
    return (getattr(error, "strerror", None) or first_line(error))[:MAX_QUOTED]
