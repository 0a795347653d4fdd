"""Runs each file of docs/cluster unchanged: it starts two workers that train together on this machine.

The launchers are replaced by stand-ins of a few lines; the commands that they would run are run.
"""

import json
import os
import subprocess
import sys

import pytest
import yaml

from tests.distribution.processes import ROOT, free_addresses
from tests.distribution.test_launchers import FOLDER

pytestmark = pytest.mark.slow

STAND_INS = {
    "python": 'exec "$PYTHON" -m tests.distribution.python_here "$@"',
    "ssh": 'eval "$2"',
    "srun": """shift
for index in 0 1; do
SLURM_PROCID=$index SLURM_STEP_NODELIST="node[1-2]" SLURM_STEP_NUM_TASKS=2 "$@" &
done
wait""",
}
VERTEX = {"chief": ["a-workerpool0-0:2222"], "worker": ["a-workerpool1-0:2222"]}


def kubernetes_pods():
    _, job = yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text())
    [container] = job["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry["value"] for entry in container["env"]} | {"TL_KERAS_WORKERS": "2"}
    return [(container["command"], variables | {"JOB_COMPLETION_INDEX": str(index)}) for index in range(2)]


def vertex_pools():
    job = yaml.safe_load((FOLDER / "vertex_ai.yaml").read_text())
    for pool, kind in zip(job["workerPoolSpecs"], VERTEX, strict=True):
        config = {"cluster": VERTEX, "task": {"type": kind, "index": 0}, "environment": "cloud"}
        yield pool["containerSpec"]["command"], {"TF_CONFIG": json.dumps(config)}


LAUNCHERS = {
    "kubernetes": kubernetes_pods,
    "vertex_ai": vertex_pools,
    "slurm": lambda: [(["bash", str(FOLDER / "slurm.sh")], {})],
    "ssh": lambda: [(["bash", str(FOLDER / "ssh.sh")], {})],
}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_workers_train_together(launcher, image_folder, tmp_path):
    (tmp_path / "project").symlink_to(ROOT)
    for name, lines in STAND_INS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{lines}\n")
        (tmp_path / name).chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "IMAGES": str(image_folder),
        "RUN": str(tmp_path / "run"),
        "ADDRESSES": json.dumps(free_addresses(2)),
    }
    processes = [
        subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for command, variables in LAUNCHERS[launcher]()
    ]
    printed = "".join(process.communicate(timeout=300)[0] for process in processes)
    assert printed.count("distribute: multi_worker (TF_CONFIG names 2 workers), 2 replicas") == 2, printed
    assert [process.returncode for process in processes] == [0] * len(processes), printed
    assert (tmp_path / "run" / "metrics.json").exists() and printed.count("run folder:") == 1
