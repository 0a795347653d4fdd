"""Every hostile file of `hostile_files` is refused in a sentence, within 2 GB and 10 seconds, without side effects."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.security.hostile_files import C_CONTROLS, CASES, CONTROLS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results():
    """Runs all cases in one process; returns a dict from their names to what happened."""
    command = [sys.executable, "-m", "tests.security.system_calls", "tests.security.sandbox"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"name"')]
    return {line["name"]: line for line in lines} | {"unwatched": done.stderr.partition("no filter: ")[2][:100]}


def test_there_are_many():
    number = f"makes {len(CASES)} hostile files"
    assert number in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_is_refused_in_a_sentence_without_side_effects(results, name):
    assert name in results, "the process ended before this case"
    outcome = results[name]
    assert not outcome["events"] and not outcome["system_events"] and not outcome["canary"]
    assert outcome["result"] != "read" and "TRACEBACK" not in outcome["result"] and "\n" not in outcome["result"]
    assert len(outcome["result"]) < 3_000


@pytest.mark.parametrize("name", CONTROLS)
def test_the_process_would_see_a_side_effect(results, name):
    outcome = results[name]
    assert outcome["events"] or "TimeoutError" in outcome["result"] or "MemoryError" in outcome["result"]


@pytest.mark.parametrize("name", C_CONTROLS)
def test_the_supervisor_would_see_a_side_effect_of_c_code(results, name):
    if not results["watched"]["result"]:
        pytest.skip(f"calls of C code are not seen here: {results['unwatched']}")
    outcome = results[name]
    assert outcome["system_events"] and not [event for event in outcome["events"] if "file.h5" not in event]
