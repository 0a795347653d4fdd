"""Writes the results of a training: the model, its metrics, plots, a report and a model card."""

import re
from dataclasses import replace
from datetime import datetime

from tl_keras import evaluation, models
from tl_keras.config.config_text import config_text
from tl_keras.data.records import SPLITS
from tl_keras.errors import InputError, counted
from tl_keras.runs.evaluations import comparison_lines
from tl_keras.runs.seen_examples import write_seen_examples
from tl_keras.tasks.registry import TASKS
from tl_keras.training.adaptation_report import summarize, target_first
from tl_keras.training.automatic.label_gain import describe_label_gain, measure_label_gain
from tl_keras.training.automatic.last_layer import last_layer_baseline
from tl_keras.training.automatic.suspicious import describe_suspicious
from tl_keras.training.automatic.tuning import SOLVED
from tl_keras.training.calibration import measure_confidence
from tl_keras.training.card import run_title, write_card
from tl_keras.training.result_warnings import find_warnings

PHASE_KINDS = {"name": str, "first_epoch": int, "epochs": int, "learning_rates": dict, "audit": dict}
"""Keys of the line of a phase in the log, and the types of their values."""
SOLVED_HEAD = "a last layer fitted to its optimum by a solver, without epochs"


def write_results(
    config, model, splits, history, run, adapted=None, tuning=None, calibration=None, baseline=None, facts=()
):
    """Saves and tests the model, writes the report and marks the run as finished.

    Args:
        config: `RunConfig`.
        model: trained `keras.Model`.
        splits: what the task's `load_data` returned.
        history: dict from metric name to its value in each epoch.
        run: `RunFolder`.
        adapted: `Adapted`, if the model was adapted to another domain.
        tuning: `Tuning` of recipe auto.
        calibration: `Calibration` of a classifier.
        baseline: `evaluation.Baseline` that was measured before the training; None of other tasks and of recipe auto,
            whose features give one.
        facts: list of (label, text) on the run, see `list_facts`.
    """
    task = TASKS[config.task]
    task.save_model(config, model, run.path)
    predictions = task.predict(model, splits.test, config.data.batch_size)
    threshold = task.choose_threshold(config, model, splits)
    measured, plots = task.evaluate(config, predictions, splits.test, run.path, threshold)
    task.write_predictions({name: getattr(splits, name) for name in SPLITS}, predictions, run.path, threshold)
    solved = tuning and tuning.solved
    # The trial of a network that is not kept says nothing about the model.
    used_history = {} if tuning and tuning.kept == SOLVED else _of_one_objective(history)
    baseline = last_layer_baseline(config, splits, solved) if solved else baseline
    extras = task.report_extras(config, splits, predictions, measured, [baseline] if baseline else [])
    warnings = find_warnings(measured, used_history, _read_phases(run), extras.verdict)
    extras = replace(extras, verdict=(*extras.verdict, *warnings))
    metrics = measured | extras.metrics | _log_baselines(run, extras)
    if solved:
        metrics |= _cross_validation(config, splits, tuning) | measure_label_gain(config, tuning)
    labels = task.example_labels(splits.test) if task.gives_probabilities else None
    if calibration:
        metrics["confidence"] = measure_confidence(config, calibration, labels, predictions)
    sections = {
        "decisions": explain_solved_head(
            [*_decision_lines(run), *_held_out_lines(metrics, task), *describe_label_gain(metrics)]
        ),
        "suspicious": describe_suspicious(config, splits, solved, run.path) if solved else (),
        "confidence": evaluation.confidence_of(labels, predictions) if task.has_one_class(config) else None,
        "examples": task.report_examples(config, model, splits, predictions),
        "facts": facts,
    }
    shown = metrics
    if adapted:
        shown, extras, plots = target_first(adapted, metrics, extras, plots, task.headline_metrics)
        # The test examples are those of the source, and what the report shows first is the target.
        sections["examples"] = replace(sections["examples"], worst=(), by_class=())
        sections["confidence"] = adapted.confidence or sections["confidence"]
        metrics["adaptation"] = adapted.record
    _write_report(config, shown, history, plots, sections, extras, run, model)
    write_card(config, model, splits, shown, run, extras, tuning)
    write_seen_examples(run, (splits.train, splits.validation))
    run.write_json("history.json", history)
    run.write_json("metrics.json", metrics)
    run.finish()


def list_facts(command, seconds, is_resumed):
    """Lists what identifies a training.

    Args:
        command: str, the command line.
        seconds: float, time since the training was started or resumed.
        is_resumed: whether an earlier call has started it.

    Returns:
        list of (label, text).
    """
    finished = datetime.now().astimezone().isoformat(sep=" ", timespec="minutes")
    minutes, rest = divmod(round(seconds), 60)
    duration = f"{minutes} min {rest} s" if minutes else f"{rest} s"
    duration += " since the last resume, without the time before" if is_resumed else " from the start to the report"
    return [("Command", command), ("Finished", finished), ("Duration", duration)]


def explain_solved_head(lines):
    """Adds what a solved head is where lines first mention one.

    Args:
        lines: list of str.

    Returns:
        The same list, or a copy in which one line is longer.
    """
    mention = re.compile(r"solved heads?\b")
    first = next((number for number, line in enumerate(lines) if mention.search(line)), None)
    if first is None:
        return lines
    explained = mention.sub(lambda found: f"{found[0]} ({SOLVED_HEAD})", lines[first], count=1)
    return [*lines[:first], explained, *lines[first + 1 :]]


def _decision_lines(run):
    """Returns what recipe auto and the cache of activations have decided, as the log has it."""
    entries = [entry for event in ("auto", "cache") for entry in run.read_log(event, {"lines": list})[-1:]]
    return [str(line) for entry in entries for line in entry["lines"]]


def _log_baselines(run, extras):
    """Logs the seconds of the baselines and returns their metrics, which are the same in an equal run."""
    if not extras.baselines:
        return {"verdict": list(extras.verdict)} if extras.verdict else {}
    run.log("baselines", {one["name"]: one["seconds"] for one in extras.baselines})
    figures = [{key: value for key, value in one.items() if key != "seconds"} for one in extras.baselines]
    return {"baselines": figures, "verdict": list(extras.verdict)}


def _cross_validation(config, splits, tuning):
    """Returns the metrics of the solved head on examples that were held out from it."""
    solved = tuning.solved
    if solved.held_out is None:
        return {}
    labels, probabilities = solved.examples.labels[solved.held_out.rows], solved.held_out.probabilities
    measured = evaluation.metrics_with_intervals(labels, probabilities, splits.class_names, config.data.multi_label)
    names = (*TASKS[config.task].headline_metrics, "log_loss", "intervals")
    record = {"examples": len(labels), **{name: measured[name] for name in names if name in measured}}
    if tuning.kept != SOLVED:
        record["before_tuning"] = True
    return {"held_out": record}


def _write_report(config, metrics, history, plots, sections, extras, run, model):
    phases = _read_phases(run)
    if history:
        directions = {name: models.metric_direction(model, name) for name in history}
        evaluation.plot_history(_of_one_objective(history), _phase_spans(phases), run / "history.png", directions)
        plots = [*plots, ("Training", run / "history.png")]
    evaluation.write_report(
        run / "report.html",
        title=run_title(config),
        metrics=metrics,
        phases=[_phase_row(phase) for phase in phases],
        config_text=config_text(config),
        plots=plots,
        versions=run.read_json("versions.json"),
        skipped=extras.skipped,
        notes=extras.notes,
        mistakes=extras.mistakes,
        baselines=extras.baselines,
        verdict=extras.verdict,
        **sections,
    )


def _read_phases(run):
    # A run that was killed between the log line and the checkpoint of a phase has repeated it: the later line counts.
    lines = [phase for phase in run.read_log("phase", PHASE_KINDS) if _is_whole(phase)]
    return list({phase["first_epoch"]: phase for phase in lines}.values())


def _is_whole(phase):
    """Checks what is computed with, since a stranger may have started the run."""
    numbers = [*phase["learning_rates"].values(), phase.get("best_epoch", 0)]
    return (
        len(numbers) > 1
        and all(type(number) in (int, float) for number in numbers)
        and phase["audit"].keys() >= {"frozen", "moved"}
        and isinstance(phase.get("blocks", ""), str | list)
        and all(isinstance(warning, str) for warning in phase.get("warnings", ()))
    )


def _held_out_lines(metrics, task):
    """Returns a line on the examples that were held out from solved heads, if there are any."""
    if "held_out" not in metrics:
        return []
    held_out = metrics["held_out"]
    headlines = evaluation.format_headlines(held_out, task.headline_metrics)
    before = ", before tuning" if held_out.get("before_tuning") else ""
    return [f"cross-validation of the solved head{before}: {headlines}  ({counted(held_out['examples'], 'example')})"]


def format_results(run, task, split="test"):
    """Formats the metrics of a folder of results, and lists its files.

    Args:
        run: `RunFolder` with `metrics.json`.
        task: `Task` of the run.
        split: name of what was measured.

    Returns:
        Text of several lines.

    Raises:
        InputError: the metrics are damaged.
    """
    metrics = run.read_json("metrics.json")
    try:
        return _format(metrics, run, task, split)
    except InputError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(f"metrics.json of the run in {str(run.path)!r} is damaged: copy the run again.") from error


def _format(metrics, run, task, split):
    names = ("report.html", "domains.png", *task.result_files, "history.png")
    headlines = evaluation.format_headlines(metrics, task.headline_metrics)
    adapted = "adaptation" in metrics
    lines = summarize(metrics["adaptation"]) if adapted else []
    lines += [f"{'source ' if adapted else ''}{split}: {headlines}  ({counted(metrics['examples'], 'example')})"]
    lines += [f"note: {note}" for note in evaluation.notes_on_test(metrics)]
    lines += [*_held_out_lines(metrics, task), *comparison_lines(metrics, task)]
    lines += evaluation.describe_confidence_changes(metrics.get("confidence") or {})
    lines += describe_label_gain(metrics)
    lines += _seen_lines(metrics, task)
    return "\n".join([*lines, *(f"  {run / name}" for name in names if (run / name).exists())])


def _seen_lines(metrics, task):
    """Returns a line on the examples of an evaluation that the run knows from its training, if there are any."""
    if "seen_examples" not in metrics:
        return []
    seen, total = metrics["seen_examples"]["examples"], metrics["examples"]
    line = f"Warning: {seen} of these {counted(total, 'example')} are training or validation examples of the run"
    if "without_them" not in metrics["seen_examples"]:
        return [f"{line}: the figures do not show what it is worth on new data"]
    others = metrics["seen_examples"]["without_them"]
    headlines = evaluation.format_headlines(others, task.headline_metrics)
    notes = evaluation.notes_on_test(others)
    known = f"{headlines}  ({counted(others['examples'], 'example')})"
    return [f"{line}; without them: {known}", *(f"note: without them: {note}" for note in notes)]


def _phase_row(phase):
    audit = "{frozen} frozen bit-identical, {moved} moved".format(**phase["audit"])
    best = [f"weights of epoch {phase['best_epoch'] + 1}, the best one"] if "best_epoch" in phase else []
    audit = ". ".join([audit, *best, *phase.get("warnings", ())])
    return phase | {"learning_rate": max(phase["learning_rates"].values()), "audit": audit}


def _phase_spans(phases):
    return [(phase["name"], phase["first_epoch"] + 1, phase["first_epoch"] + phase["epochs"]) for phase in phases]


def _of_one_objective(history):
    """Removes the contrastive losses, which cannot be compared with the others; their epochs have no accuracy."""
    supervised = [value is not None for value in history.get("accuracy", [])]
    if all(supervised):
        return history
    return {
        name: [value if keep else None for value, keep in zip(values, supervised, strict=True)]
        for name, values in history.items()
    }
