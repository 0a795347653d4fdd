"""One run of several workers: a shared folder, the same data, the same checkpoint, and one plain model at the end."""

import contextlib
import io

import numpy as np

from tl_keras import callbacks, distribution
from tl_keras.errors import InputError, counted
from tl_keras.runs.opening import open_run, scratch_run
from tl_keras.system.atomic_files import write_text


@contextlib.contextmanager
def open_shared_run(config, config_text, strategy):
    """Opens the run folder on the chief, and a temporary folder on the other workers.

    Args:
        config: `RunConfig`.
        config_text: the whole configuration as YAML.
        strategy: `tf.distribute.Strategy`; None on one machine, whose devices are not started yet.

    Yields:
        Tuple of the `RunFolder` and whether the run is finished.

    Raises:
        InputError: the chief cannot use its folder; every worker raises the same error.
    """
    with contextlib.ExitStack() as stack:
        run, problem = None, None
        if distribution.is_chief(strategy):
            try:
                run = stack.enter_context(open_run(config.run, config.data.path, config_text, config.resume))
            except InputError as error:
                problem = str(error)
        else:
            run = stack.enter_context(scratch_run())
        problem, finished = distribution.broadcast(strategy, [problem, run is not None and run.finished])
        if problem:
            raise InputError(problem)
        yield run, finished


def require_same_data(fingerprint, run, strategy):
    """Refuses data that differ from those that the run started with, or from those of the chief.

    Args:
        fingerprint: dict that identifies the data, ready for JSON.
        run: `RunFolder`.
        strategy: `tf.distribute.Strategy`.

    Raises:
        InputError: the data differ.
    """
    if distribution.is_chief(strategy):
        run.require_same_data(fingerprint)
    if distribution.broadcast(strategy, fingerprint) != fingerprint:
        raise InputError(
            f"The data of this worker differ from the chief's (here {fingerprint}): give all workers the same files."
        )


def require_same_devices(run, strategy):
    """Records how many devices share a step of the run, or refuses another number.

    Args:
        run: `RunFolder`.
        strategy: `tf.distribute.Strategy`.

    Raises:
        InputError: the run was started on another number of devices, and so with other batches.
    """
    num_replicas = strategy.num_replicas_in_sync
    if not (run / "devices.json").exists():
        run.write_json("devices.json", {"replicas": num_replicas})
        return
    before = run.read_json("devices.json").get("replicas")
    if not isinstance(before, int):
        raise InputError(f"The file {str(run / 'devices.json')!r} is damaged: give --run another folder.")
    if before != num_replicas:
        raise InputError(
            f"The run in {str(run.path)!r} was started with steps over the batches of {counted(before, 'device')}, not "
            f"{num_replicas}: resume it on as many, or give --run another folder."
        )


@contextlib.contextmanager
def chief_first(record, strategy):
    """Runs a block on the chief first, then on the other workers with the record that the chief wrote.

    Args:
        record: path of the file, a different one on each worker.
        strategy: `tf.distribute.Strategy`.
    """
    if distribution.is_chief(strategy):
        yield
        distribution.broadcast(strategy, record.read_text(encoding="utf-8"))
    else:
        record.parent.mkdir(parents=True, exist_ok=True)
        write_text(record, distribution.broadcast(strategy, None))
        yield


def restore_everywhere(folder, model, staging, strategy):
    """Restores the chief's newest checkpoint into the models of all workers.

    Args:
        folder: path of the checkpoints' folder; only the chief's is read.
        model: compiled `keras.Model`.
        staging: its `ProgressiveUnfreezing`, prepared.
        strategy: `tf.distribute.Strategy`.

    Returns:
        `Progress` or None, as `restore_newest` returns it.
    """
    progress = callbacks.restore_newest(folder, model, staging) if distribution.is_chief(strategy) else None
    if not distribution.is_multi_worker(strategy):
        return progress
    epochs = progress and [progress.epochs, progress.history]
    epochs, state = distribution.broadcast(strategy, [epochs, staging.state])
    if epochs is None:
        return None
    for variable in [*model.variables, *model.optimizer.variables]:
        variable.assign(distribution.broadcast_array(strategy, variable.numpy()))
    staging.resume(state, _broadcast_arrays(strategy, staging.best_weights))
    return callbacks.Progress(*epochs, _broadcast_arrays(strategy, progress.metrics if progress else []))


def plain_model(build, model):
    """Returns a model on one device with the weights of a model on several.

    Args:
        build: function without arguments that builds a model of the same shape outside of any strategy.
        model: trained `keras.Model`; if it is on one device, it is returned itself.

    Returns:
        `keras.Model`.
    """
    if model.distribute_strategy.num_replicas_in_sync == 1:
        return model
    # Building it prints the report on its first weights once more.
    with contextlib.redirect_stdout(io.StringIO()):
        plain = build()
    for weight, trained in zip(plain.weights, model.weights, strict=True):
        weight.assign(trained.numpy())
    return plain


def _broadcast_arrays(strategy, arrays):
    """Sends a list of arrays from the chief to the other workers, which pass an empty list."""
    described = distribution.broadcast(strategy, [(list(array.shape), str(array.dtype)) for array in arrays])
    arrays = arrays or [np.zeros(shape, dtype) for shape, dtype in described]
    return [distribution.broadcast_array(strategy, array) for array in arrays]
