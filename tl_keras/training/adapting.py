"""Adapts the trained model of a run to a domain whose labels nobody has, and proves what came of it."""

import functools
import json
import math
import zipfile
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tl_keras import adaptation, data, evaluation, models, transfer
from tl_keras.config.adaptation_config import DEFAULT_WEIGHTS, FEATURES_ONLY, STATISTICS_ONLY
from tl_keras.errors import InputError
from tl_keras.phases import Phase
from tl_keras.system import devices
from tl_keras.system.atomic_files import atomic_path
from tl_keras.tasks.registry import TASKS
from tl_keras.training import fitting

STEPS, MIN_EPOCHS, MAX_EPOCHS = 200, 2, 20
RATE, TENT_RATE = 3e-4, 1e-3
MIN_TARGETS = 16
MAX_MAPPED = 500
"""Examples of each domain in the map of features."""
SOURCE_ONLY = "source-only"


@dataclass(frozen=True, eq=False)
class Target:
    """The target domain of a run.

    Attributes:
        splits: what the task's `load_target` returned: `train` is adapted to, and its labels mean nothing; `test` has
            true ones, for the report, and may be empty.
        labelled: the same with all labels, for the upper bound; None where nobody asked for that.
        notes: sentences for the user.
    """

    splits: Any
    labelled: Any
    notes: tuple[str, ...]


def load_target(config, splits):
    """Loads the target domain and hides its labels.

    Args:
        config: `RunConfig` with a method of adaptation.
        splits: what the task's `load_data` returned.

    Returns:
        `Target`.

    Raises:
        InputError: the target cannot be used, or is too small.
    """
    task, settings = TASKS[config.task], config.adaptation
    records = task.find_target(config, splits.class_names)
    hidden = data.hide_labels(records, config.data.test_fraction, config.seed)
    loaded = task.load_target(config, hidden, splits)
    if len(loaded.train) < MIN_TARGETS:
        raise InputError(
            f"The target {settings.target!r} has {len(loaded.train)} examples to adapt to: expected at least "
            f"{MIN_TARGETS}."
        )
    labelled = None
    if settings.upper_bound:
        if not len(loaded.test):
            raise InputError(
                f"adaptation.upper_bound trains on the target's labels, but {settings.target!r} has none: leave it out."
            )
        revealed = data.split_records(
            data.reveal_labels(records, hidden),
            validation_fraction=config.data.validation_fraction,
            seed=config.seed,
        )
        labelled = task.load_target(config, revealed, splits)
    return Target(loaded, labelled, records.notes)


def describe(target):
    """Says in one line what is adapted to."""
    report = f"{len(target.splits.test)} with labels for the report" if len(target.splits.test) else "none with labels"
    return f"target: {len(target.splits.train)} examples without labels, {report}"


def check_model(config, model, phases):
    """Refuses a method that the model cannot do, before anything is trained.

    Args:
        config: `RunConfig`.
        model: classifier.
        phases: list of `Phase`, as they will be trained.

    Raises:
        InputError: it has no batch normalization, no vector before its head, no such block, or nothing would learn
            that the method could change.
    """
    method, learning = config.adaptation.method, config.adaptation.train or phases[-1].train
    *_, before, head = transfer.block_names(model)
    if transfer.trainable_blocks(model, learning) == [head] and method in FEATURES_ONLY:
        raise InputError(
            f"adaptation.method {method} changes the features before the head, but the head alone would learn: give "
            f"--adaptation.train {before}, or an earlier block."
        )
    if method in STATISTICS_ONLY:
        adaptation.require_batch_norm(model, method)
    transfer.features_before_head(model)


def pretrain(config, model, target, run):
    """Lets the encoder read the target's texts, words of which are hidden, before the first phase.

    Args:
        config: `RunConfig` with `adaptation.masked_epochs`.
        model: text classifier. It is changed.
        target: `Target`.
        run: `RunFolder`; what was learned is kept in its `checkpoints`, and not learned again.
    """
    path = run / "checkpoints" / "masked.npz"
    values, _ = _read(path, len(model.variables)) if path.exists() else (None, None)
    if values is not None:
        _assign(model, values)
        return
    inputs = TASKS[config.task].training_inputs(config, replace(target.splits, validation=target.splits.train), 0)
    steps = config.adaptation.masked_epochs * inputs["steps_per_epoch"]
    devices.reseed(config.seed)
    loss = adaptation.pretrain_on_texts(
        model,
        inputs["x"],
        steps,
        max_tokens=config.text.max_tokens,
        weight_decay=config.optimizer.weight_decay,
    )
    print(f"masked language modelling on the target: {steps} steps, loss {loss:.3f}", flush=True)
    _write(path, _values(model), {"loss": loss})


def adapt(config, model, splits, target, phases, run):
    """Tries what the method offers and keeps what the validator finds best, the model as it is included.

    Without a method nothing is tried, and the target is reported as it is.

    Args:
        config: `RunConfig` with a method of adaptation.
        model: trained classifier. It is changed.
        splits: what the task's `load_data` returned.
        target: `Target`.
        phases: list of `Phase`, as trained.
        run: `RunFolder`; candidates that are done are kept in its `checkpoints`, and are not repeated.

    Returns:
        Dict ready for JSON: `method`, `validator`, `kept` (the candidate's name), `candidates` (name, score and what
        the other validators say of each), and, where the target has labels, `target` with the metrics of `source_only`
        and `adapted`. `pictures` is a list of (caption, path).
    """
    if config.adaptation.method is None:
        report = _report(config, model, splits, target)
        return {"pictures": []} | ({"target": {"source_only": report["metrics"]}} if "metrics" in report else {})
    domains = _Domains(config, model, splits, target, phases)
    start = _values(model)
    candidates, best_score = [], -math.inf
    for number, (name, train) in enumerate([(SOURCE_ONLY, None), *_candidates(config, domains)]):
        weights, scores = _made_once(run / "checkpoints" / f"adapted-{number}.npz", model, start, train, domains)
        candidates.append({"name": name, "score": scores[config.adaptation.validator], "validators": scores})
        # Of equal scores the first stands, and so the source-only model before all others.
        if number == 0 or candidates[-1]["score"] > best_score:
            kept, best, best_score = name, weights, candidates[-1]["score"]
        print(f"{name}: {config.adaptation.validator} {candidates[-1]['score']:.4f}", flush=True)
    print(f"kept: {kept}", flush=True)
    record = {"method": config.adaptation.method, "validator": config.adaptation.validator}
    record |= {"kept": kept, "candidates": candidates}
    _assign(model, start)
    reports = dict.fromkeys(("source_only", "adapted"), _report(config, model, splits, target))
    if kept != SOURCE_ONLY:
        _assign(model, best)
        reports["adapted"] = _report(config, model, splits, target)
    return record | _compare(reports, splits.class_names, run)


class _Domains:
    """What the classifier learns from and is judged by: batches of the source, and of the target without labels.

    Where a frozen part lies before what learns, all examples go through it once, unaugmented.
    """

    def __init__(self, config, model, splits, target, phases):
        self.config = config
        self.model = model
        self.learning = config.adaptation.train or phases[-1].train
        self.splits = {"source": splits, "target": replace(target.splits, validation=target.splits.train)}
        whole = config.adaptation.method in STATISTICS_ONLY
        [cut] = [None] if whole else transfer.find_cuts_of_phases(model, [Phase(self.learning)])
        self.learner = model if cut is None else transfer.suffix_model(model, cut)
        if whole or cut is not None:
            self.config = replace(config, data=replace(config.data, augmentation="none"))
        self._stored = self._store(cut) if cut is not None else dict.fromkeys(self.splits)

    def inputs(self, domain):
        """Returns the arguments of `fit` for "source" or "target"."""
        return TASKS[self.config.task].training_inputs(self.config, self.splits[domain], 0, self._stored[domain])

    def judge(self):
        """Asks every validator; none of them sees a label of the target."""
        source, labels = adaptation.collect_outputs(self.learner, self.inputs("source")["validation_data"])
        target, _ = adaptation.collect_outputs(self.learner, self.inputs("target")["validation_data"])
        return {name: validate(source, labels, target) for name, validate in adaptation.VALIDATORS.items()}

    def _store(self, cut):
        part = transfer.FrozenPart(self.model, [cut], self.config.cache.dtype)
        task, stored = TASKS[self.config.task], {}
        for domain, splits in self.splits.items():
            train, validation = task.activation_sources(self.config, splits)
            values = part.compute(train, {id(cut): None})[id(cut)]
            # The target is judged by what it is adapted to.
            held = values if domain == "target" else part.compute(validation, {id(cut): None})[id(cut)]
            stored[domain] = transfer.Features(values, held)
        return stored


def _candidates(config, domains):
    """Lists what is tried: pairs of a name and a function that changes the model."""
    settings = config.adaptation
    if settings.method in STATISTICS_ONLY:
        change = {"adabn": _adapt_statistics, "tent": _minimize_entropy}[settings.method]
        return [(settings.method, functools.partial(change, domains))]
    weights = settings.weights or DEFAULT_WEIGHTS[settings.method]
    return [
        (f"{settings.method} × {weight:g}", functools.partial(_fit_both_domains, domains, weight)) for weight in weights
    ]


def _adapt_statistics(domains):
    inputs = domains.inputs("target")
    adaptation.adapt_batch_norm(domains.model, inputs["x"], inputs["steps_per_epoch"])


def _minimize_entropy(domains):
    inputs, settings = domains.inputs("target"), domains.config.adaptation
    steps = inputs["steps_per_epoch"] * (settings.epochs or 1)
    rate = settings.learning_rate or TENT_RATE
    adaptation.minimize_entropy(domains.model, inputs["x"], steps, learning_rate=rate)


def _fit_both_domains(domains, weight):
    config, inputs = domains.config, domains.inputs("source")
    steps = inputs["steps_per_epoch"]
    epochs = config.adaptation.epochs or min(MAX_EPOCHS, max(MIN_EPOCHS, round(STEPS / steps)))
    transfer.freeze_to(domains.model, domains.learning, config.batch_norm)
    # What the method itself draws at random is the same for every weight, and in a run that goes on.
    devices.reseed(config.seed)
    classifier = adaptation.AdaptedClassifier(domains.learner, _method(config, epochs * steps), weight)
    optimizer = adaptation.make_adaptation_optimizer(
        config.adaptation.learning_rate or RATE,
        epochs * steps,
        weight_decay=config.optimizer.weight_decay,
        clip_norm=config.optimizer.clip_norm,
    )
    models.compile_classifier(classifier, optimizer, label_smoothing=config.model.label_smoothing, xla=config.xla)
    classifier.fit(
        adaptation.pair_domains(inputs["x"], domains.inputs("target")["x"]),
        steps_per_epoch=steps,
        epochs=epochs,
        class_weight=inputs["class_weight"],
        shuffle=False,
        verbose=0,
    )


def _method(config, steps):
    return {
        "dann": lambda: adaptation.DomainAdversarial(ramp_steps=steps),
        "deep_coral": adaptation.DeepCoral,
        "mmd": adaptation.MaximumMeanDiscrepancy,
        "mcc": adaptation.MinimumClassConfusion,
        "self_training": adaptation.SelfTraining,
    }[config.adaptation.method]()


def _made_once(path, model, start, train, domains):
    """Trains a candidate, or reads it where an interrupted run has left it; returns its weights and scores."""
    if path.exists():
        values, scores = _read(path, len(start))
        if values is not None:
            return values, scores
    _assign(model, start)
    if train:
        train()
    values, scores = _values(model), domains.judge()
    _write(path, values, scores)
    return values, scores


def _write(path, values, facts):
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"value-{number}": value for number, value in enumerate(values)}
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays, facts=np.array(json.dumps(facts)))


def _read(path, count):
    """Reads what `_write` wrote; (None, None) of a damaged file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return [file[f"value-{number}"] for number in range(count)], json.loads(str(file["facts"]))
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        print(f"{path} is damaged and is made anew", flush=True)
        return None, None


def _values(model):
    """The values of all variables: the states of random generators too, which `get_weights` leaves out."""
    return [np.asarray(variable) for variable in model.variables]


def _assign(model, values):
    for variable, value in zip(model.variables, values, strict=True):
        variable.assign(value)


def _report(config, model, splits, target):
    """Measures the target where it has labels, and gathers features of both domains."""
    task, batch_size = TASKS[config.task], config.data.batch_size
    joint = adaptation.with_features(model)
    width, test = model.output_shape[-1], target.splits.test
    tested = len(test) > 0
    parts = {"source": splits.test, "target": test if tested else target.splits.train}
    found = {domain: task.predict(joint, _whole(part), batch_size) for domain, part in parts.items()}
    report = {"features": {domain: _mapped(values[:, :-width]) for domain, values in found.items()}}
    report["labels"] = {"source": _mapped(splits.test.labels)}
    if tested:
        told = found["target"][:, -width:]
        # What the windows of a text say together is told by them alone.
        probabilities = told if _whole(test) is test else task.predict(model, test, batch_size)
        report["metrics"] = evaluation.classification_metrics(test.labels, probabilities, test.class_names)
        report["labels"]["target"] = _mapped(test.labels)
    return report


def _mapped(rows):
    """Takes at most `MAX_MAPPED` of all rows, evenly: examples often lie class by class."""
    return rows[:: -(-len(rows) // MAX_MAPPED)]


def _whole(part):
    """Of texts in windows the texts themselves: the features of one window would not be those of a text."""
    return replace(part, windows=None) if getattr(part, "windows", None) is not None else part


def _compare(reports, class_names, run):
    picture = run / "domains.png"
    evaluation.plot_domains({"before": reports["source_only"], "after": reports["adapted"]}, class_names, picture)
    record = {"pictures": [("Features of both domains, before and after adaptation", picture)]}
    metrics = {name: report["metrics"] for name, report in reports.items() if "metrics" in report}
    return record | ({"target": metrics} if metrics else {})


def train_upper_bound(config, target, phases, run, build_model):
    """Trains the same network by the same phases on the target's labels: how good could it have been?

    Args:
        config: `RunConfig`.
        target: `Target` with labels.
        phases: list of `Phase`.
        run: `RunFolder`; its `target_trained` holds the checkpoints.
        build_model: function of (config, splits) that builds and compiles a model.

    Returns:
        Dict of the metrics of the target's test.
    """
    plain = replace(config, run=None)
    model = build_model(plain, target.labelled)
    print("upper bound: training on the target's labels", flush=True)
    fitting.fit_phases(plain, model, target.labelled, phases, run)
    models.merge_lora(model)
    test = target.labelled.test
    probabilities = TASKS[config.task].predict(model, test, config.data.batch_size)
    return evaluation.classification_metrics(test.labels, probabilities, test.class_names)


def summarize(record):
    """Says in a few sentences what adaptation brought.

    Args:
        record: what `adapt` returned, perhaps with `upper_bound` in its `target`.

    Returns:
        List of str.
    """
    if "kept" not in record:
        figures = {name: metrics["accuracy"] for name, metrics in record.get("target", {}).items()}
        return [f"target accuracy, {name.replace('_', ' ')}: {figure:.3f}" for name, figure in figures.items()]
    lines = [f"adaptation: {record['kept']} was kept, chosen by {record['validator']} without any target label"]
    if record["kept"] == SOURCE_ONLY:
        lines[0] = f"adaptation: {record['validator']} found nothing better than the source-only model, which was kept"
    if "target" not in record:
        return lines
    figures = {name: metrics["accuracy"] for name, metrics in record["target"].items()}
    before, after = figures["source_only"], figures["adapted"]
    line = f"target accuracy: source-only {before:.3f}, adapted {after:.3f}"
    if "upper_bound" in figures:
        gap = figures["upper_bound"] - before
        line += f", trained on its labels {figures['upper_bound']:.3f}"
        if gap > 0:
            line += f" ({(after - before) / gap:.0%} of the gap closed)"
    lines.append(line)
    if after < before and not math.isclose(after, before):
        lines.append("negative transfer: on the target's labels the adapted model is worse than the source-only one")
    return lines + _changed_classes(record["target"])


def _changed_classes(metrics):
    before, after = (metrics[name]["per_class"] for name in ("source_only", "adapted"))
    changes = sorted((after[name]["f1"] - before[name]["f1"], name) for name in before)
    lines = [(name, change) for change, name in (changes[0], changes[-1]) if change]
    return [f"F1 of class {name}: {change:+.3f}" for name, change in lines]
