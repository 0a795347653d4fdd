"""Stands in for `python` in the files of docs/cluster, so that what they start trains a small network on this machine.

The addresses that TF_CONFIG names become those in ADDRESSES, the data and the run folder those in PICTURES and RUN.
"""

import json
import os
import re
import sys

from tests.distribution.processes import SCRIPT, flags
from tl_keras.distribution import read_cluster

if __name__ == "__main__":
    _, module, *given = sys.argv[1:]
    arguments = ["-m", module, *given]
    if module == "tl_keras.train":
        local = dict(zip(read_cluster(os.environ).addresses, json.loads(os.environ["ADDRESSES"]), strict=True))
        os.environ["TF_CONFIG"] = re.sub(r"[\w.-]+:\d+", lambda found: local[found[0]], os.environ["TF_CONFIG"])
        small = flags(os.environ["PICTURES"], os.environ["RUN"], phases="[{train: head, epochs: 2}]")
        arguments = [str(SCRIPT), "1", *given, *small]
    os.execv(sys.executable, [sys.executable, *arguments])
