"""Names suspicious labels in the report of a run, where its cross-validation has judged them anyway."""

import shlex

from tl_keras import probing
from tl_keras.config.config_text import reading_flags
from tl_keras.errors import part_of
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.solved_head import labelled_parts

SHOWN = 20


def describe_suspicious(config, splits, solved, run=None):
    """Describes the most suspicious labels among the examples that were held out from solved heads.

    Args:
        config: `RunConfig`.
        splits: what the task's `load_data` returned.
        solved: `SolvedHead`.
        run: path of the run, whose settings the named command repeats; None names the data in its place.

    Returns:
        List of at most one sentence.
    """
    held_out = solved.held_out
    if held_out is None or config.data.multi_label:
        return []
    labels = solved.examples.labels[held_out.rows]
    errors = probing.find_label_errors(held_out.probabilities, labels)
    if not len(errors.rows):
        return []
    cells = [cell for part in labelled_parts(config, splits) for cell in TASKS[config.task].example_cells(part)]
    names = splits.class_names
    shown = [
        f"{cells[held_out.rows[row]][-1]} ({names[labels[row]]}, rather {names[other]})"
        for row, other in zip(errors.rows[:SHOWN], errors.suggested[:SHOWN], strict=True)
    ]
    first = f"the first {'is' if len(shown) == 1 else 'are'} {'; '.join(shown)}"
    task = ["--task", config.task] if TASKS[config.task].takes_texts else []
    data = [str(run)] if run else [*task, config.data.path, *reading_flags(config)]
    command = f"python -m tl_keras.label check {shlex.join(data)}"
    return [
        f"{part_of(len(errors.rows), len(labels), 'cross-validated label')} suspicious, "
        f"{errors.confident_share}; {first}. `{command}` checks those of all splits."
    ]
