"""Measures the cells of a comparison one after the other, in the time that there is."""

import contextlib

import numpy as np

from tl_keras.config.config_text import config_text
from tl_keras.config.derived import derive
from tl_keras.config.recipe_choice import DEFAULT_RECIPE
from tl_keras.errors import InputError, counted
from tl_keras.studies.comparison.cell_files import ComparisonFolder
from tl_keras.studies.comparison.figures import Comparison
from tl_keras.studies.comparison.grid import ALL, check_budgets, fit_budgets, list_cells
from tl_keras.studies.comparison.progress import OutOfTime, Progress
from tl_keras.studies.comparison.terms import BOXES, terms_of
from tl_keras.system.devices import load_tensorflow
from tl_keras.system.durations import parse_duration
from tl_keras.system.global_state import restored_global_state
from tl_keras.system.time_limit import TimeLimit
from tl_keras.tasks.registry import TASKS


def compare(config, grid, folder):
    """Measures what transfer is worth on a user's data, and keeps each finished cell in a folder.

    Args:
        config: `RunConfig` with the default recipe.
        grid: `GridSettings`.
        folder: `pathlib.Path` of the results; finished cells in it are not measured again.

    Returns:
        `Comparison`.

    Raises:
        InputError: the data or the settings cannot be used, or the folder holds another comparison.
    """
    terms = terms_of(config.task)
    _check(config, terms)
    limit = TimeLimit(None if config.max_time is None else parse_duration(config.max_time))
    task = TASKS[config.task]
    task.check_sources(config)
    if grid.budgets_given:
        found = task.find_labelled(config, config.data.path)
        check_budgets(grid.budgets, np.bincount(found.labels) if terms.per_class else np.array([len(found)]), terms)
    if not terms.needs_validation:
        # All labels are trained on, since nothing here is chosen by a validation set.
        config = derive(config, data=derive(config.data, validation_fraction=0.0))
    with ComparisonFolder(folder, terms.result).opened(config_text(config)) as files, restored_global_state():
        splits = task.load_data(config)
        files.require_same_data(task.fingerprint(splits))
        # Recipe auto would describe the sizes of images that it chooses from.
        print(task.describe(derive(config, recipe=DEFAULT_RECIPE), splits), flush=True)
        budgets, notes = fit_budgets(grid.budgets, _count(task, terms, splits), terms, grid.budgets_given)
        cells = list_cells(grid.methods, budgets, grid.draws)
        count = task.count(splits.test)
        # Loaded here, so that a budget above the data does not wait for TensorFlow.
        load_tensorflow()
        trainers = _make_trainers(config, splits, grid.methods, budgets, limit)
        _measure(trainers, files, cells, limit, Progress(cells, files.read(cells, count), terms))
        results = files.read(cells, count)
        notes = (*notes, *_note_validation(splits), *_note_missing(cells, results), *files.read_suspicious())
        facts = _facts(config, splits)
        return Comparison(results, grid.methods, budgets, grid.draws, len(cells), count, notes, facts, terms)


def _check(config, terms):
    if config.recipe != terms.recipe:
        raise InputError(
            f"compare trains by several recipes, but recipe is {config.recipe}: leave it out, see --methods."
        )
    if config.phases is not None:
        raise InputError(
            "compare trains by several recipes, but phases are set: leave them out; --epochs replaces those of a file."
        )
    for name in ("patience", "restore_best"):
        if getattr(config, name) is not None:
            raise InputError(f"{name} has no effect in compare, where no validation set decides: leave it out.")
    if config.data.multi_label:
        raise InputError("compare needs one label per example, but data.multi_label is true.")
    if config.model.weights == "none":
        raise InputError("compare needs pretrained weights: leave --model.weights none out.")


def _count(task, terms, splits):
    """Counts what budgets are compared with: the examples of each class, or all images with boxes together."""
    if terms.per_class:
        return np.bincount(task.example_labels(splits.train), minlength=len(splits.class_names))
    return np.array([len(splits.train)])


def _make_trainers(config, splits, methods, budgets, limit):
    if terms_of(config.task) is BOXES:
        from tl_keras.studies.comparison.detectors import DetectorTrainers

        return DetectorTrainers(config, splits, limit)
    from tl_keras.studies.comparison.trainers import Trainers

    return Trainers(config, splits, methods, budgets, limit)


def _measure(trainers, files, cells, limit, progress):
    """Trains the cells that are missing; those that would take longer than the time that is left are skipped."""
    with files.open_log() as log:
        for cell in cells:
            if progress.is_finished(cell) or (limit.left is not None and limit.left <= progress.seconds_of(cell)):
                continue
            try:
                with contextlib.redirect_stdout(log):
                    result = progress.timed(cell, lambda cell=cell: trainers.train(cell))
            except OutOfTime:
                continue
            except KeyboardInterrupt:
                print(
                    f"interrupted with {progress.finished} of {counted(len(cells), 'cell')}: the same command resumes",
                    flush=True,
                )
                raise
            if trainers.suspicious and cell.budget == ALL:
                files.write_suspicious(trainers.suspicious)
            files.write(cell, result)
            progress.report(cell, result)


def _facts(config, splits):
    images = getattr(splits.train, "images", None)
    facts = {"data": config.data.path, "backbone": config.model.backbone, "classes": len(splits.class_names)}
    return facts if images is None else facts | {"image_size": images[0].shape[0]}


def _note_validation(splits):
    count = len(splits.validation)
    return (f"The {counted(count, 'validation example was', 'validation examples were')} not used.",) if count else ()


def _note_missing(cells, results):
    """Returns sentences on the cells that the time did not suffice for."""
    if len(results) == len(cells):
        return ()
    missing = {cell.method: 0 for cell in cells if cell not in results}
    for cell in cells:
        if cell not in results:
            missing[cell.method] += 1
    shown = ", ".join(f"{counted(count, 'cell')} of {method}" for method, count in missing.items())
    return (
        f"max_time ended the comparison after {len(results)} of {counted(len(cells), 'cell')}. Not measured: {shown}. "
        "The same command with more time resumes it.",
    )
