"""Collection of all problems of a data set, for one message."""

from tl_keras.data.wording import MAX_ITEM, excerpt
from tl_keras.errors import InputError

MAX_PLACES = 8


class Faults:
    """Collects the problems of a data set.

    Args:
        origin: the file or folder, as the first words of the message, such as "The table x.csv".
    """

    def __init__(self, origin):
        self.origin = origin
        self.places = {}
        self.advice = {}

    def add(self, problem, place, advice="correct or remove it"):
        """Adds a problem.

        Args:
            problem: kind of problem, such as "a box of zero area".
            place: location of the problem, such as "line 7"; "" if `problem` includes it.
            advice: way to correct it, such as "correct it"; the message gives it once, after its problems.
        """
        self.places.setdefault(problem, []).append(place)
        self.advice.setdefault(problem, {})[advice] = None

    def raise_if_any(self):
        """Raises an InputError with all problems and the first places of each, if there are any."""
        if self.places:
            groups = {}
            for problem, places in self.places.items():
                groups.setdefault("; ".join(self.advice[problem]), []).append(problem + _listed(places))
            parts = (f"{'; '.join(problems)}: {advice}" for advice, problems in groups.items())
            raise InputError(f"{self.origin} cannot be used: {'; '.join(parts)}.")


def _listed(places):
    places = [place for place in places if place]
    more = f" and {len(places) - MAX_PLACES:,} more" if len(places) > MAX_PLACES else ""
    shown = ", ".join(excerpt(place, MAX_ITEM) for place in places[:MAX_PLACES])
    return f" at {shown}{more}" if places else ""
