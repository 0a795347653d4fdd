"""Adapts the trained model of a run to a target domain without labels, and measures the result."""

import math

from tl_keras import adaptation, evaluation, models
from tl_keras.config.derived import derive
from tl_keras.tasks.registry import TASKS
from tl_keras.training import fitting
from tl_keras.training.adaptation_report import SOURCE_ONLY, Adapted, compare_domains, measure_domains
from tl_keras.training.building import build_model
from tl_keras.training.candidates import Domains, list_candidates
from tl_keras.training.variable_files import assign_values, read_values, variable_values, write_values


def adapt(config, model, splits, target, phases, run):
    """Trains the candidates of the method and keeps the best that `find_objection` admits, perhaps the model as it is.

    Without a method nothing is changed, and the target is only measured.

    Args:
        config: `RunConfig` with `adaptation.target`.
        model: trained classifier. It is changed.
        splits: what the task's `load_data` returned.
        target: `Target`.
        phases: list of `Phase`, as trained.
        run: `RunFolder`. Finished candidates are kept in its `checkpoints`, and a resumed run does not repeat them.

    Returns:
        `Adapted`.
    """
    if config.adaptation.method is None:
        report = measure_domains(config, model, splits, target)
        record = {"target": {"source_only": report["metrics"]}} if "metrics" in report else {}
        return Adapted(record, confidence=report.get("confidence"))
    domains, validator = Domains(config, model, splits, target, phases), config.adaptation.validator
    start = variable_values(model)
    candidates, best_score = [], -math.inf
    for number, (name, train) in enumerate([(SOURCE_ONLY, None), *list_candidates(config, domains)]):
        path = run / "checkpoints" / f"adapted-{number}.npz"
        values, scores = _train_once(path, model, start, train, domains)
        source_only = candidates[0]["validators"] if candidates else scores
        objection = adaptation.find_objection(scores, source_only, validator)
        candidates.append({"name": name, "score": scores[validator], "validators": scores, "refused": objection})
        # The first of equal scores wins, and so the source-only model over all others.
        if number == 0 or (objection is None and scores[validator] > best_score):
            kept, best, best_score = name, values, scores[validator]
        refused = f", refused because {objection}" if objection and number else ""
        print(f"{name}: {validator} {scores[validator]:.4f}{refused}", flush=True)
    print(f"kept: {kept}", flush=True)
    record = {"method": config.adaptation.method, "validator": validator, "kept": kept, "candidates": candidates}
    assign_values(model, start)
    reports = dict.fromkeys(("source_only", "adapted"), measure_domains(config, model, splits, target))
    if kept != SOURCE_ONLY:
        assign_values(model, best)
        reports["adapted"] = measure_domains(config, model, splits, target)
    return compare_domains(record, reports, splits.class_names, run)


def train_upper_bound(config, target, phases, run):
    """Trains the same network by the same phases on the target's labels, to learn how good it could have been.

    Args:
        config: `RunConfig`.
        target: `Target` with labels.
        phases: list of `Phase`.
        run: `RunFolder` for the checkpoints.

    Returns:
        Dict of the metrics on the target's test examples.
    """
    plain = derive(config, run=None)
    model = build_model(plain, target.upper_bound_splits)
    print("upper bound: training on the target's labels", flush=True)
    fitting.fit_phases(plain, model, target.upper_bound_splits, phases, run)
    models.merge_lora(model)
    test = target.upper_bound_splits.test
    probabilities = TASKS[config.task].predict(model, test, config.data.batch_size)
    return evaluation.metrics_with_intervals(test.labels, probabilities, test.class_names)


def _train_once(path, model, start, train, domains):
    """Trains and scores a candidate, or reads it where an interrupted run has left it."""
    if earlier := read_values(path, start, (*adaptation.VALIDATORS, adaptation.COVERAGE)):
        return earlier
    assign_values(model, start)
    if train:
        train()
    values, scores = variable_values(model), domains.score()
    write_values(path, values, scores)
    return values, scores
