"""Runs verbs on a run under a supervisor, and prints what each opened elsewhere, as a JSON object for each verb.

`python -m tests.security.system_calls tests.security.watched_verbs RUN IMAGES OUTPUT`
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from tests.security import system_calls
from tests.security.sandbox import CODE, SYSTEM
from tl_keras import evaluate, explain, export, predict
from tl_keras.exporting import latency


def calls(run, images, output):
    """Returns the arguments of each verb."""
    image = next(Path(images).glob("*/*"))
    return {
        predict: [run, image],
        explain: [run, image, "--output", f"{output}/explained"],
        evaluate: [run, "--data", images, "--output", f"{output}/evaluated"],
        export: [run, "--format", "keras", "--output", f"{output}/exported"],
    }


def main(run, images, output):
    """Runs each verb twice, since the first call loads packages, and prints the calls of the second."""
    latency.ROUNDS, latency.SECONDS_PER_TURN = 1, 1e-6
    for name in ("warm-up", "watched"):
        for verb, arguments in calls(run, images, f"{output}/{name}").items():
            if name == "watched":
                system_calls.start([run, images, output, *CODE, *SYSTEM])
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                verb.main([str(argument) for argument in arguments])
            if name == "watched":
                print(json.dumps({"verb": verb.__name__, "events": system_calls.stop()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[2:])
