"""TF_CONFIG from the variables of a launcher, Kubernetes or Slurm, without TensorFlow."""

import json
import re

from tl_keras.errors import InputError, counted

PORT = 12345
"""Port of the workers unless TL_KERAS_PORT is set."""


def derive_tf_config(environment):
    """Derives TF_CONFIG from the environment variables of a launcher.

    Args:
        environment: mapping of environment variables. Kubernetes sets JOB_COMPLETION_INDEX in an indexed Job; its
            manifest must set TL_KERAS_JOB (name of the Job), TL_KERAS_SERVICE (name of its headless service) and
            TL_KERAS_WORKERS (number of its pods). Slurm sets SLURM_PROCID and the list of nodes.

    Returns:
        JSON str; an existing TF_CONFIG, as on Vertex AI, is returned unchanged.

    Raises:
        InputError: the launcher is unknown, or a variable is missing.
    """
    if environment.get("TF_CONFIG"):
        return environment["TF_CONFIG"]
    if "JOB_COMPLETION_INDEX" in environment:
        hosts, index = _kubernetes_hosts(environment), environment["JOB_COMPLETION_INDEX"]
    elif "SLURM_PROCID" in environment:
        hosts, index = _slurm_hosts(environment), environment["SLURM_PROCID"]
    else:
        raise InputError(
            "The environment names no workers: expected TF_CONFIG, JOB_COMPLETION_INDEX of a Kubernetes indexed Job, "
            "or SLURM_PROCID of srun."
        )
    port = environment.get("TL_KERAS_PORT", str(PORT))
    cluster = {"worker": [f"{host}:{port}" for host in hosts]}
    return json.dumps({"cluster": cluster, "task": {"type": "worker", "index": int(index)}})


def expand_nodes(text):
    """Expands Slurm's compact list of nodes.

    Args:
        text: list such as "gpu[01-03,07],big1".

    Returns:
        List of names in order, such as ["gpu01", "gpu02", "gpu03", "gpu07", "big1"].

    Raises:
        InputError: the list is invalid.
    """
    names = []
    for entry in re.findall(r"(?:[^,[]|\[[^]]*\])+", text):
        parts = re.fullmatch(r"([\w.-]*)(?:\[([\d,-]+)\])?([\w.-]*)", entry)
        if not parts:
            raise InputError(f"The list of nodes {text!r} has {entry!r}: expected a form like node[01-03,07].")
        before, numbers, after = parts.groups()
        names += [f"{before}{number}{after}" for number in (_numbers(numbers) if numbers else [""])]
    return names


def _kubernetes_hosts(environment):
    names = ("TL_KERAS_JOB", "TL_KERAS_SERVICE", "TL_KERAS_WORKERS")
    if missing := [name for name in names if not environment.get(name)]:
        raise InputError(f"The Job does not set {', '.join(missing)}: set it under env as in docs/cluster.md.")
    job, service, workers = (environment[name] for name in names)
    return [f"{job}-{index}.{service}" for index in range(int(workers))]


def _slurm_hosts(environment):
    nodes = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST") or ""
    hosts, tasks = expand_nodes(nodes), environment.get("SLURM_STEP_NUM_TASKS") or environment.get("SLURM_NTASKS", "")
    if str(len(hosts)) != tasks:
        raise InputError(
            f"Slurm started {tasks or 'an unknown number of'} tasks on {counted(len(hosts), 'node')} ({nodes!r}): give "
            "srun --ntasks-per-node=1, since one worker takes all GPUs of its node."
        )
    return hosts


def _numbers(text):
    """Expands ranges such as 01-03,07 and keeps leading zeros."""
    numbers = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers += [str(number).zfill(len(first)) for number in range(int(first), int(last or first) + 1)]
    return numbers
