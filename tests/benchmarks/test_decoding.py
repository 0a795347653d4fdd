"""The benchmark of decoding, on small photographs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import decoding


def test_the_share_of_decoding_is_printed(finished_run, monkeypatch, capsys):
    monkeypatch.setattr(decoding, "SIZE", (160, 120))
    monkeypatch.setattr(decoding, "DISTINCT", 2)
    monkeypatch.setattr(sys, "argv", ["decoding.py", str(finished_run[0]), "--images", "3"])
    decoding.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("4 photographs of ") and lines[0].endswith(" kB, 32 pixels")
    assert lines[1].startswith("pillow ") and " network " in lines[1]
    assert lines[2].startswith("share of decoding: ")
