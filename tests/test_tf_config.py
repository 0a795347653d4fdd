import json
import subprocess
import sys

import pytest

from tests.distribution.test_launchers import SLURM
from tl_keras import tf_config
from tl_keras.cli.verbs import run_verb


def test_it_prints_what_the_launcher_says(monkeypatch, capsys):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    run_verb(tf_config.main, [])
    assert json.loads(capsys.readouterr().out)["task"] == {"type": "worker", "index": 1}


def test_without_a_launcher_it_is_a_sentence():
    command = [sys.executable, "-m", "tl_keras.tf_config"]
    result = subprocess.run(command, env={"PYTHONPATH": "."}, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.startswith("error: The environment names no workers")


def test_what_the_training_would_refuse_is_refused(monkeypatch, capsys):
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(SystemExit):
        run_verb(tf_config.main, [])
    assert "has no cluster" in capsys.readouterr().err
