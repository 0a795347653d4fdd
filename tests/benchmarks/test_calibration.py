"""The table of `benchmarks/calibration.py`."""

import importlib.util
from pathlib import Path

PATH = Path(__file__).parents[2] / "benchmarks" / "calibration.py"


def test_the_table_has_means_with_standard_errors(monkeypatch):
    monkeypatch.syspath_prepend(str(PATH.parent))
    spec = importlib.util.spec_from_file_location("calibration_benchmark", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    one, other = (dict.fromkeys(module.WAYS, (loss, loss / 10)) for loss in (0.4, 0.6))
    table = module.format_table({"emoji": [module.Cell(one, True), module.Cell(other, False)]})
    assert table.splitlines()[-1] == "| emoji | 2 | 1 |" + " 0.500 ± 0.100, 0.050 ± 0.010 |" * 3
