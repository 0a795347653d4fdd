"""One training run, from data to report."""

import shlex
import shutil

from tl_keras import distribution, models
from tl_keras.config.absolute_paths import with_absolute_paths
from tl_keras.config.config_text import config_text, flat_settings
from tl_keras.runs.run_folder import RunFolder
from tl_keras.system.durations import parse_duration
from tl_keras.system.global_state import restored_global_state
from tl_keras.system.newer_files import find_newer
from tl_keras.system.time_limit import TimeLimit
from tl_keras.tasks.classification import solves_head
from tl_keras.tasks.registry import TASKS
from tl_keras.tracking.following import follow
from tl_keras.tracking.trackers import check_trackers
from tl_keras.training import adapting, fitting, replicas, workers
from tl_keras.training.automatic.comparing import solve_on
from tl_keras.training.automatic.last_layer import untrained_baseline
from tl_keras.training.automatic.tuning import tune
from tl_keras.training.building import build_model
from tl_keras.training.calibration import calibrate
from tl_keras.training.preparation import prepare, start_strategy
from tl_keras.training.pretraining import pretrain
from tl_keras.training.results import format_results, list_facts, write_results


def run_training(config, command=None):
    """Runs one training from data to report, or resumes it where it was interrupted.

    The dtype policy, the seeds and the determinism of the process are afterwards as they were before.

    Args:
        config: `RunConfig`.
        command: command line that the report shows; None names the function.

    Returns:
        Path of the run folder, which `load_run` opens.

    Raises:
        InputError: the configuration or the data cannot be used.
    """
    check_trackers(config.trackers)
    limit, config = _time_limit(config), with_absolute_paths(config)
    # A cluster must be joined before TensorFlow computes anything; the devices of this machine can wait for the data.
    strategy = start_strategy(config.distribute) if distribution.is_cluster(config.distribute) else None
    with (
        restored_global_state(),
        distribution.watch_workers(strategy),
        workers.open_shared_run(config, config_text(config), strategy) as (run, finished),
    ):
        if finished:
            print(_describe_finished(config, run), flush=True)
        else:
            # The other workers of a cluster write to a log that nobody reads.
            with follow(config.trackers if distribution.is_chief(strategy) else [], run, flat_settings(config)):
                _train(config, strategy, run, limit, command or "tl_keras.run_training(config)")
        if distribution.is_chief(strategy):
            # Here, because a run may have been killed between its results and this line.
            shutil.rmtree(run / "checkpoints", ignore_errors=True)
            print(format_results(run, TASKS[config.task]))
            command = f"python -m tl_keras.predict {shlex.quote(str(run.path))} {TASKS[config.task].usage}"
            print(f"run folder: {run.path}\nnext: {command}", flush=True)
        distribution.barrier(strategy)
    return run.path


def _train(config, strategy, run, limit, command):
    """Trains from data to report; of several workers the chief alone writes the report."""
    is_resumed = (run / "data.json").exists()
    prepared = prepare(config, strategy, run, limit)
    config = prepared.config
    splits = prepared.splits
    if config.adaptation.masked_epochs:
        pretrain(config, prepared.model, prepared.target, run)
    tuning = baseline = None
    if prepared.solved:
        tuning = tune(prepared, run, limit)
        model, history = tuning.model, tuning.history
        print(f"auto: {tuning.line}", flush=True)
        run.log("auto", {"lines": [*prepared.solved.lines, tuning.line]})
    else:
        model = prepared.model
        # Before the training, which would change the features, and takes the time that is left.
        if TASKS[config.task].supports_auto and not prepared.target and distribution.is_chief(prepared.strategy):
            baseline = untrained_baseline(config, splits, model, limit)
        history = fitting.fit_phases(config, model, splits, prepared.phases, run, limit.left)
        if solves_head(config):
            solve_on(config, model, splits)
    if distribution.is_chief(prepared.strategy):
        model = workers.plain_model(lambda: build_model(config, splits), model)
        models.merge_lora(model)
        adapted = _adapt(prepared, model, run) if prepared.target else None
        # The target's labels are hidden, and those of the source say nothing about the confidence on it.
        calibration = None if adapted else calibrate(config, model, splits, tuning)
        facts = list_facts(command, limit.passed, is_resumed)
        write_results(config, model, splits, history, run, adapted, tuning, calibration, baseline, facts)


def _adapt(prepared, model, run):
    """Adapts the model to the target and, where that was asked for, trains another one on the target's labels."""
    config = replicas.for_one_device(prepared.config, prepared.num_replicas)
    target, phases = prepared.target, prepared.phases
    adapted = adapting.adapt(config, model, prepared.splits, target, phases, run)
    if not target.upper_bound_splits:
        return adapted
    folder = RunFolder(run / "checkpoints" / "upper_bound")
    folder.path.mkdir(exist_ok=True)
    folder.signals = run.signals
    return adapted.with_upper_bound(adapting.train_upper_bound(config, target, phases, folder))


def _describe_finished(config, run):
    """Says that a finished run is shown, how to train again, and whether its data have changed since it read them."""
    lines = [f"{run.path} is finished: nothing is trained, its results follow (--run with another folder trains again)"]
    record = run / "data.json"
    newer = find_newer(config.data.path, record.stat().st_mtime, run.path) if record.exists() else None
    if newer:
        lines.append(
            f"note: {newer} was added or changed since this run read its data, and its results do not include that: "
            "--run with another folder trains on the data as they are now"
        )
    return "\n".join(lines)


def _time_limit(config):
    return TimeLimit(None if config.max_time is None else parse_duration(config.max_time))
