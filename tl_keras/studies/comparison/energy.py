"""Energy that the processors of this machine have used, by their own counters (Intel's RAPL, also of AMD)."""

from pathlib import Path

COUNTERS = Path("/sys/class/powercap")
PACKAGES = "intel-rapl:[0-9]*"
MICRO = 1e-6


class EnergyMeter:
    """Measures the energy since its creation.

    Only packages count, which contain their cores; without a readable counter there is no energy, and none is
    estimated. Other processes of the machine count, too.

    Args:
        folder: path of the counters.
    """

    def __init__(self, folder=COUNTERS):
        self._before = _read_all(Path(folder))

    def joules(self):
        """Returns the joules since the creation, a float; None without a readable counter."""
        if not self._before:
            return None
        total = 0
        for path, (before, size) in self._before.items():
            now = _read(path / "energy_uj")
            if now is None:
                return None
            # A counter starts again from 0 behind its maximum.
            total += now - before if now >= before else now - before + size
        return total * MICRO


def _read_all(folder):
    # The colon of a part of a package, such as intel-rapl:0:1, would count its cores twice.
    packages = [path for path in sorted(folder.glob(PACKAGES)) if path.name.count(":") == 1]
    values = {path: (_read(path / "energy_uj"), _read(path / "max_energy_range_uj")) for path in packages}
    return {} if any(value is None for pair in values.values() for value in pair) else values


def _read(path):
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
