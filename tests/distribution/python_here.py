"""Replaces `python` in the files of docs/cluster, so that they train a small network on this machine.

The addresses in TF_CONFIG are replaced by those in ADDRESSES, the data and the run folder by those in IMAGES and RUN.
"""

import json
import os
import re
import sys

from tests.distribution.processes import SCRIPT, flags
from tl_keras.distribution import read_cluster

if __name__ == "__main__":
    _, module, *options = sys.argv[1:]
    arguments = ["-m", module, *options]
    if module == "tl_keras.train":
        local = dict(zip(read_cluster(os.environ).addresses, json.loads(os.environ["ADDRESSES"]), strict=True))
        os.environ["TF_CONFIG"] = re.sub(r"[\w.-]+:\d+", lambda match: local[match[0]], os.environ["TF_CONFIG"])
        small = flags(os.environ["IMAGES"], os.environ["RUN"], phases="[{train: head, epochs: 2}]")
        arguments = [str(SCRIPT), "1", *options, *small]
    os.execv(sys.executable, [sys.executable, *arguments])
