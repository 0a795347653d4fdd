"""Cluster description from TF_CONFIG, read without TensorFlow so that mistakes are reported quickly."""

import json
import os
import re
from dataclasses import dataclass

from tl_keras.errors import InputError, counted, unknown_name

EXAMPLE = '{"cluster": {"worker": ["host0:12345", "host1:12345"]}, "task": {"type": "worker", "index": 0}}'
JOBS = ("chief", "worker")


@dataclass(frozen=True)
class Cluster:
    """Describes the workers of a training and the position of this process among them."""

    addresses: tuple[str, ...]
    """HOST:PORT of each worker, the chief first."""
    index: int
    """Index of this process in `addresses`."""

    @property
    def is_chief(self):
        """True if this process writes the run folder."""
        return self.index == 0


def read_cluster(environment=os.environ):
    """Reads and checks TF_CONFIG.

    Args:
        environment: mapping of environment variables, default `os.environ`.

    Returns:
        `Cluster`, or None if TF_CONFIG is missing or empty.

    Raises:
        InputError: TF_CONFIG is not valid JSON, names no workers, or does not include this process.
    """
    if not (text := environment.get("TF_CONFIG", "").strip()):
        return None
    config = _read_json(text)
    jobs = _check_jobs(config.get("cluster"))
    addresses = (*jobs.get("chief", []), *jobs.get("worker", []))
    return Cluster(addresses, addresses.index(_own_address(config.get("task"), jobs)))


def _read_json(text):
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"TF_CONFIG is not JSON ({error}): expected a mapping such as {EXAMPLE}.") from error
    if not isinstance(config, dict):
        raise InputError(f"TF_CONFIG is {text}: expected a mapping such as {EXAMPLE}.")
    return config


def _check_jobs(jobs):
    if not isinstance(jobs, dict) or not jobs:
        raise InputError(f"TF_CONFIG has no cluster (got {jobs!r}): expected for example {EXAMPLE}.")
    for job, addresses in jobs.items():
        if job not in JOBS:
            # No parameter servers, which Keras 3 does not support, and no evaluator, because the chief evaluates.
            raise unknown_name("job in the cluster of TF_CONFIG", job, JOBS)
        if not isinstance(addresses, list) or not addresses:
            raise InputError(f"TF_CONFIG names no {job} (got {addresses!r}): expected a list of HOST:PORT.")
        for address in addresses:
            if not isinstance(address, str) or not re.fullmatch(r"\S+:\d{1,5}", address):
                raise InputError(f"TF_CONFIG has the {job} {address!r}: expected HOST:PORT, such as host0:12345.")
    addresses = [address for addresses in jobs.values() for address in addresses]
    if duplicate := next((address for address in addresses if addresses.count(address) > 1), None):
        raise InputError(f"TF_CONFIG names {duplicate!r} twice: give every worker its own address.")
    if (chiefs := len(jobs.get("chief", []))) > 1:
        raise InputError(
            f"TF_CONFIG names {counted(chiefs, 'chief')}: expected at most one, and the others as workers."
        )
    return jobs


def _own_address(task, jobs):
    kind, index = (task.get("type"), task.get("index")) if isinstance(task, dict) else (None, None)
    if kind not in jobs:
        raise InputError(
            f"TF_CONFIG says that this process is a {kind!r}: expected a task of type {' or '.join(jobs)}."
        )
    # Shells and templates often write numbers as strings, which TensorFlow accepts as well.
    if not re.fullmatch(r"\d+", str(index)) or int(index) >= len(jobs[kind]):
        raise InputError(
            f"TF_CONFIG says that this process is {kind} {index!r}: expected an index from 0 to {len(jobs[kind]) - 1}."
        )
    return jobs[kind][int(index)]
