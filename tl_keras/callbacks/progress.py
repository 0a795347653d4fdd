"""Progress output of a run: the table of phases, one line per epoch, and the result of each audit."""

import math
import sys
import time

import keras
from tqdm import tqdm

from tl_keras.errors import counted
from tl_keras.phases import phase_at, total_epochs
from tl_keras.system.durations import format_duration
from tl_keras.transfer.learning_rates import current_rate

LONG_EPOCH = 20
"""Seconds of a first epoch from which the time of its steps is worth an estimate; shorter ones wait for the second."""
SHORT_TIME = 60
"""Seconds that are not worth an estimate."""
MAX_FIGURES = 5
"""Maximum number of figures in the line of an epoch with the parts of the loss; the log has all of them."""


def phase_table(plan):
    """Formats a plan as a table with one line per phase.

    Args:
        plan: list of dicts from `tl_keras.transfer.plan.plan_phases`.

    Returns:
        str of several lines.
    """
    rows = [("phase", "trainable blocks", "learning rate", "epochs", "trainable parameters")]
    for number, record in enumerate(plan, start=1):
        rates = record["learning_rates"].values()
        share = record["trainable_parameters"] / record["total_parameters"]
        rows.append(
            (
                str(number),
                _format_blocks(record),
                f"{max(rates):.2g}" if len(set(rates)) == 1 else f"{min(rates):.2g} … {max(rates):.2g}",
                str(record["epochs"]),
                f"{record['trainable_parameters']:,} of {record['total_parameters']:,} ({share:.1%})",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _format_blocks(record):
    """Formats a range of blocks by its first and last, and a list of blocks or a pattern as in the phase."""
    first, last, count = record["blocks"][0], record["blocks"][-1], len(record["blocks"])
    if record["name"] not in (first, "head", "all"):
        return record["name"]
    return first if count == 1 else f"{first} … {last} ({count})"


def shown_figures(names):
    """Selects the figures for the line of an epoch: of many those that are not parts of the loss.

    Args:
        names: iterable of the names of all figures, such as "val_box_loss".

    Returns:
        List of names in the same order.
    """
    names = list(names)
    if len(names) <= MAX_FIGURES:
        return names
    return [name for name in names if name in ("loss", "val_loss") or not name.endswith("_loss")]


class ProgressLines(keras.callbacks.Callback):
    """Prints one line per epoch, logs it with all figures, and shows a progress bar on a terminal.

    Place it after `ProgressiveUnfreezing` in the list of callbacks.

    Args:
        unfreezing: the `ProgressiveUnfreezing` of the same `fit`.
        run: `RunFolder` to whose log the lines are written.
    """

    def __init__(self, unfreezing, run):
        super().__init__()
        self.unfreezing = unfreezing
        self.run = run

    def on_train_begin(self, logs=None):
        """Resets the phase of an earlier `fit`."""
        self._phase, self._timed, self._estimated = None, 0, False

    def on_epoch_begin(self, epoch, logs=None):
        """Prints a new phase, and starts the clock and the progress bar."""
        index, _ = phase_at(self.unfreezing.phases, epoch, self.unfreezing.state["ends"])
        phase = self.unfreezing.plan[index]
        if phase is not self._phase:
            self._phase = phase
            self._comparing = self.unfreezing.phases[index].objective == "contrastive"
            training = "training by comparing" if self._comparing else "training"
            print(
                f"phase {index + 1}/{len(self.unfreezing.plan)}, {training}: {', '.join(phase['blocks'])}", flush=True
            )
        self._started, self._steps = time.perf_counter(), []
        steps = self.params.get("steps")
        self._bar = tqdm(total=steps, desc=f"  epoch {epoch + 1}", leave=False, disable=not sys.stderr.isatty())

    def on_train_batch_end(self, batch, logs=None):
        """Advances the progress bar, by several steps if they are executed at once."""
        self._steps = [*self._steps[:1], (batch, time.perf_counter())]
        self._bar.update(min(batch + 1, self._bar.total or math.inf) - self._bar.n)

    def on_epoch_end(self, epoch, logs=None):
        """Prints and logs the epoch, and the audit if a phase ends with it."""
        self._bar.close()
        figures = {name: float(value) for name, value in (logs or {}).items()}
        if self._comparing and figures.get("val_loss") == 0:
            # No two validation examples of a class met in a batch, so nothing was compared.
            del figures["val_loss"]
        seconds = time.perf_counter() - self._started
        shown = "  ".join(f"{name} {figures[name]:.3f}" for name in shown_figures(figures))
        total = total_epochs(self.unfreezing.phases)
        print(f"  epoch {epoch + 1:>{len(str(total))}}/{total}  {shown}  {seconds:.1f} s", flush=True)
        rate = current_rate(self.model.optimizer)
        self.run.log("epoch", {"epoch": epoch + 1, "seconds": round(seconds, 3), "learning_rate": rate, **figures})
        if self.unfreezing.state["ends"][-1:] == [epoch + 1]:
            audit, ended_by = self._phase["audit"], self._phase["ended_by"]
            if ended_by != "epochs":
                epochs = self._phase["epochs"]
                print(f"  ended by {ended_by} after {counted(epochs, 'epoch')}", flush=True)
            if self._phase.get("best_epoch", epoch) != epoch:
                print(f"  restored the weights of epoch {self._phase['best_epoch'] + 1}, the best one", flush=True)
            print(
                f"  audit: {counted(audit['frozen'], 'frozen variable')} bit-identical, {audit['moved']} moved",
                flush=True,
            )
            for sentence in self._phase["warnings"]:
                print(f"  warning: {sentence}", flush=True)
            self.run.log("phase", self._phase)
        self._estimate(epoch, seconds)

    def _estimate(self, epoch, seconds):
        """Prints once in a `fit` how long the other epochs will take, if that is minutes."""
        self._timed += 1
        if self._timed == 1:
            # Building the step takes seconds, which later epochs lack.
            seconds = _seconds_of_steps(self._steps) if seconds >= LONG_EPOCH else 0
        if self._estimated or seconds < LONG_EPOCH and self._timed == 1:
            return
        self._estimated = True
        unfreezing = self.unfreezing
        ends = unfreezing.state["ends"]
        current = unfreezing.phases[len(ends) :]
        done = epoch + 1 - (ends[-1] if ends else 0)
        left = max(0, sum(phase.epochs for phase in current) - done)
        limit = unfreezing.max_seconds
        if left * seconds < SHORT_TIME:
            return
        line = f"about {format_duration(left * seconds)} left at this speed ({counted(left, 'epoch')})"
        if limit is not None and (rest := max(0.0, limit - unfreezing.state["seconds"])) < left * seconds:
            line += f", but max_time ends the training in about {format_duration(rest)}"
        print(f"  {line}", flush=True)


def _seconds_of_steps(steps):
    """Estimates the seconds of an epoch from the (batch, time) at the end of its first and of its last step."""
    if len(steps) < 2:
        return 0.0
    (first, started), (last, ended) = steps
    return (ended - started) / (last - first) * (last + 1)
