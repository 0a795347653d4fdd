"""Verbs on a run of a stranger that names files of the user in its configuration: not even C code opens them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tl_keras.system.checksums import write_manifest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def foreign_run(finished_run, tmp_path):
    """Copies a run, and names a folder of the user in each setting that takes a path."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "model.keras").write_text("years of work")
    run = shutil.copytree(finished_run[0], tmp_path / "foreign")
    settings = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    home = str(tmp_path / "home")
    settings["data"]["path"] = settings["cache"]["folder"] = settings["run"] = home
    settings["model"] |= {"weights": f"{home}/model.keras", "backbone": f"keras_hub:{home}"}
    (run / "config.yaml").write_text(json.dumps(settings), encoding="utf-8")
    write_manifest(run)
    return run


def test_verbs_open_only_the_run_the_data_and_the_output(foreign_run, image_folder, tmp_path):
    (tmp_path / "output").mkdir()
    command = [sys.executable, "-m", "tests.security.system_calls", "tests.security.watched_verbs"]
    done = subprocess.run(
        [*command, str(foreign_run), str(image_folder), str(tmp_path / "output")],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path / "output")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if "no filter: " in done.stderr:
        pytest.skip(f"calls of C code are not seen here: {done.stderr.partition('no filter: ')[2][:100]}")
    results = {line["verb"]: line["events"] for line in map(json.loads, done.stdout.splitlines())}
    data = f"open {tmp_path / 'home'}"
    # Export measures the accuracy on the data that the configuration names, as SECURITY.md says.
    assert set(results.pop("tl_keras.export")) == {data}
    assert results == dict.fromkeys(("tl_keras.predict", "tl_keras.explain", "tl_keras.evaluate"), [])
