"""`.ci/audit.py` says whether the packages were audited at all, and fails on a known hole."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CLEAN, UNKNOWN = {"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not on the index"}
HOLE = {"name": "c", "version": "2", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}


@pytest.mark.parametrize(
    ("packages", "printed", "holes"),
    [
        (None, "audit: SKIPPED, no index of known holes answered\n", ""),
        ([UNKNOWN], "audit: SKIPPED, no index of known holes answered\n", ""),
        ([CLEAN, UNKNOWN], "audit: 1 of 2 packages were known to the index, 0 holes\n", ""),
        ([CLEAN, HOLE], "audit: 2 of 2 packages were known to the index, 2 holes\n", "c 2: CVE-1\nc 2: CVE-2\n"),
    ],
)
def test_what_was_audited_is_printed_and_holes_fail(packages, printed, holes, tmp_path):
    if packages is not None:
        (tmp_path / "audit.json").write_text(json.dumps({"dependencies": packages}))
    command = [sys.executable, str(ROOT / ".ci" / "audit.py"), str(tmp_path / "audit.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == (printed, holes, 1 if holes else 0)


def test_ci_audits_by_the_script():
    assert 'python .ci/audit.py "$work/audit.json"\n' in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
