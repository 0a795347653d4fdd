"""Gathers everything that is wrong with a data set, to say it in one sentence."""

from tl_keras.errors import InputError

MAX_PLACES = 8


class Faults:
    """What was found to be wrong, and where.

    Args:
        origin: what was looked at, such as "The table x.csv".
    """

    def __init__(self, origin):
        self.origin = origin
        self.places = {}
        self.advice = {}

    def add(self, what, place, advice="correct or remove it"):
        """Notes a fault.

        Args:
            what: the kind of fault, such as "a box of zero area".
            place: where it is, such as "line 7"; "" where the fault says so itself.
            advice: how to mend it, as in "correct it"; said once for all faults with the same advice.
        """
        self.places.setdefault(what, []).append(place)
        self.advice[advice] = None

    def raise_if_any(self):
        """Raises InputError with all faults, of each kind the first places, where there are any."""
        if self.places:
            found = "; ".join(what + _listed(places) for what, places in self.places.items())
            raise InputError(f"{self.origin} cannot be used: {found}: {'; '.join(self.advice)}.")


def _listed(places):
    named = [place for place in places if place]
    more = f" and {len(named) - MAX_PLACES:,} more" if len(named) > MAX_PLACES else ""
    return f" at {', '.join(named[:MAX_PLACES])}{more}" if named else ""
