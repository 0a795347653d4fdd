"""Progress of a comparison: a line for each cell, with the time that the others will take."""

import time
from collections import defaultdict

import numpy as np

from tl_keras.errors import counted
from tl_keras.system.durations import format_duration


class OutOfTime(Exception):
    """Reports that a training from scratch was not finished, so that it gives no figure."""


class Progress:
    """Measures how long cells take, and estimates the rest.

    Args:
        cells: list of `Cell`, in the order of training.
        done: dict from those that are finished to their `Result`.
        terms: `Terms` of the comparison.
    """

    def __init__(self, cells, done, terms):
        self._cells, self._seconds, self._terms = cells, defaultdict(list), terms
        for cell, result in done.items():
            self._seconds[cell.method, cell.budget].append(result.seconds)
        self._waiting = dict.fromkeys(cell for cell in cells if cell not in done)
        if done:
            print(f"{len(done)} of {counted(len(cells), 'cell')} are finished already", flush=True)

    @property
    def finished(self):
        """Number of finished cells."""
        return len(self._cells) - len(self._waiting)

    def is_finished(self, cell):
        """Returns whether a cell was measured, now or before."""
        return cell not in self._waiting

    def timed(self, cell, train):
        """Calls a function without arguments that trains a cell, and remembers its time; returns its result."""
        started = time.monotonic()
        result = train()
        self._seconds[cell.method, cell.budget].append(time.monotonic() - started)
        return result

    def seconds_of(self, cell):
        """Estimates the seconds of a cell by those of its method, at best with as many labels; 0 without any."""
        own = self._seconds.get((cell.method, cell.budget))
        same = own or [value for key, values in self._seconds.items() if key[0] == cell.method for value in values]
        # The first cell of a method builds what the others share.
        return float(np.median(same)) if same else 0.0

    def report(self, cell, result):
        """Prints the line of a finished cell."""
        self._waiting.pop(cell)
        rest = self._rest(cell) if self._waiting else "all cells are finished"
        print(
            f"[{self.finished}/{len(self._cells)}] {cell.method}, {self._terms.name_budget(cell.budget)}, draw "
            f"{cell.draw}: {self._terms.score} {result.score:.3f}, {result.cpu_seconds:.1f} CPU s; {rest}",
            flush=True,
        )

    def _rest(self, cell):
        """Estimates the time of the cells after one; those before it that wait were skipped."""
        following = [one for one in self._cells[self._cells.index(cell) + 1 :] if one in self._waiting]
        measured = self._seconds.keys()
        if {one.method for one in following} - {method for method, _ in measured}:
            return f"{counted(len(following), 'cell')} left, their time is known once each method was measured"
        # More labels may take longer than those that were measured.
        more = " or more" if {(one.method, one.budget) for one in following} - measured else ""
        return f"about {format_duration(sum(map(self.seconds_of, following)))}{more} left"
