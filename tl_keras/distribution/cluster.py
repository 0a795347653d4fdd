"""The machines that train together, as TF_CONFIG tells them. Knows no TensorFlow, so that mistakes answer at once."""

import json
import os
import re
from dataclasses import dataclass

from tl_keras.errors import InputError, unknown_name

EXAMPLE = '{"cluster": {"worker": ["host0:12345", "host1:12345"]}, "task": {"type": "worker", "index": 0}}'
JOBS = ("chief", "worker")


@dataclass(frozen=True)
class Cluster:
    """The workers of a training, and which of them this process is."""

    addresses: tuple[str, ...]
    """HOST:PORT of each worker, the chief first."""
    index: int
    """Place of this process in the list."""

    @property
    def is_chief(self):
        """Whether this process alone writes."""
        return self.index == 0


def read_cluster(environment=os.environ):
    """Reads and checks TF_CONFIG.

    Args:
        environment: mapping of environment variables.

    Returns:
        `Cluster`, or None where TF_CONFIG is absent or empty.

    Raises:
        InputError: TF_CONFIG is no JSON, names no workers, or this process is none of them.
    """
    if not (text := environment.get("TF_CONFIG", "").strip()):
        return None
    told = _read_json(text)
    jobs = _jobs(told.get("cluster"))
    kind, index = _task(told.get("task"), jobs)
    return Cluster(tuple(jobs.get("chief", []) + jobs.get("worker", [])), index + (kind == "worker") * _chiefs(jobs))


def _read_json(text):
    try:
        told = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"TF_CONFIG is not JSON ({error}): expected such as {EXAMPLE}.") from error
    if not isinstance(told, dict):
        raise InputError(f"TF_CONFIG is {text}: expected a mapping, such as {EXAMPLE}.")
    return told


def _jobs(jobs):
    if not isinstance(jobs, dict) or not jobs:
        raise InputError(f"TF_CONFIG has no cluster (got {jobs!r}): expected such as {EXAMPLE}.")
    for job, addresses in jobs.items():
        if job not in JOBS:
            # No parameter servers: Keras 3 cannot train with them. No evaluator: the chief tests.
            raise unknown_name("job in the cluster of TF_CONFIG", job, JOBS)
        if not isinstance(addresses, list) or not addresses:
            raise InputError(f"TF_CONFIG names no {job} (got {addresses!r}): expected a list of HOST:PORT.")
        for address in addresses:
            if not isinstance(address, str) or not re.fullmatch(r"\S+:\d{1,5}", address):
                raise InputError(f"TF_CONFIG has the {job} {address!r}: expected HOST:PORT, such as host0:12345.")
    known = [address for addresses in jobs.values() for address in addresses]
    if twice := next((address for address in known if known.count(address) > 1), None):
        raise InputError(f"TF_CONFIG names {twice!r} twice: give every worker an address of its own.")
    if _chiefs(jobs) > 1:
        raise InputError(f"TF_CONFIG names {_chiefs(jobs)} chiefs: expected one, the others as workers.")
    return jobs


def _chiefs(jobs):
    return len(jobs.get("chief", []))


def _task(task, jobs):
    kind, index = (task.get("type"), task.get("index")) if isinstance(task, dict) else (None, None)
    if kind not in jobs:
        raise InputError(
            f"TF_CONFIG says that this process is a {kind!r}: expected a task of type {' or '.join(jobs)}."
        )
    # Shells and templates like to write numbers as texts, which TensorFlow takes, too.
    if not re.fullmatch(r"\d+", str(index)) or int(index) >= len(jobs[kind]):
        raise InputError(
            f"TF_CONFIG says that this process is {kind} {index!r}: expected an index from 0 to {len(jobs[kind]) - 1}."
        )
    return kind, int(index)
