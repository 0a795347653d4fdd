"""Tests a finished run again, on its own test split or on other data: `python -m tl_keras.evaluate RUN`."""

import hashlib
import os

from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.runs.run_folder import RunFolder, folder_name
from tl_keras.runs.trained_run import load_run
from tl_keras.training.results import format_results


def evaluate_run(run, data_path=None):
    """Measures the model of a run and draws its mistakes.

    Args:
        run: `TrainedRun`.
        data_path: labelled data of any form that training takes, all of which is tested; None takes the run's own
            test split.

    Returns:
        `RunFolder` of the results, inside the run folder: `metrics.json` and the pictures.

    Raises:
        InputError: the data cannot be used, or have a class that the model does not know.
    """
    name = f"{folder_name(data_path)}-{_digest(data_path)}" if data_path else "test"
    examples = _own_test_data(run) if data_path is None else run.task.load_test_data(run, data_path)
    folder = RunFolder(run.folder / "evaluations" / name)
    folder.path.mkdir(parents=True, exist_ok=True)
    threshold = run.metrics.get("score_threshold")
    metrics, _ = run.task.evaluate(run.config, run.predict_set(examples), examples, folder.path, threshold)
    folder.write_json("metrics.json", metrics)
    return folder


def _digest(path):
    """Tells data of one name apart: two files test.csv, and the run's own test."""
    return hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:6]


def _own_test_data(run):
    splits = run.task.load_data(run.config)
    folder = RunFolder(run.folder)
    # The target of an adapted run is not looked at, and may be gone.
    target = {name: known for name, known in folder.read_json("data.json").items() if name == "target"}
    folder.require_same_data(run.task.fingerprint(splits) | target)
    return splits.test


def main(arguments):
    """Runs the verb with the arguments of a command line, a list of strings."""
    parser = OneSentenceParser(prog="python -m tl_keras.evaluate", description="Tests a finished run again.")
    parser.add_argument("run", metavar="RUN", help="run folder of a finished training")
    parser.add_argument("--data", metavar="PATH", help="labelled data to test on; the run's own test split by default")
    options = parser.parse_args(arguments)
    print(format_results(evaluate_run(load_run(options.run), options.data)))


if __name__ == "__main__":
    run_verb(main)
