"""The candidates of an adaptation: what a method offers, trained on both domains."""

import functools
from dataclasses import replace

from tl_keras import adaptation, models, transfer
from tl_keras.config.adaptation_config import DEFAULT_WEIGHTS, STATISTICS_ONLY
from tl_keras.config.derived import without_augmentation
from tl_keras.phases import Phase
from tl_keras.system import devices
from tl_keras.tasks.registry import TASKS

STEPS, MIN_EPOCHS, MAX_EPOCHS = 200, 2, 20
RATE, TENT_RATE = 3e-4, 1e-3


class Domains:
    """Holds what candidates are trained on and validated with: the source, and the target without labels.

    If a frozen part precedes the trained blocks, its activations are computed once, without augmentation. A method that
    only changes statistics is validated with the outputs of the trained classifier for the source.

    Args:
        config: `RunConfig`.
        model: trained classifier.
        splits: those of the source.
        target: `Target`.
        phases: list of `Phase`, as trained.
    """

    def __init__(self, config, model, splits, target, phases):
        self.config = config
        self.model = model
        self.trained = config.adaptation.train or phases[-1].train
        self.splits = {"source": splits, "target": replace(target.splits, validation=target.splits.train)}
        whole = config.adaptation.method in STATISTICS_ONLY
        [cut] = [None] if whole else transfer.find_cuts_of_phases(model, [Phase(self.trained)])
        self.learner = model if cut is None else transfer.suffix_model(model, cut)
        if whole or cut is not None:
            self.config = without_augmentation(config)
        self._stored = self._store(cut) if cut is not None else dict.fromkeys(self.splits)
        # With the statistics of the target, the features of the source mean nothing: each domain has its own
        # (https://arxiv.org/abs/1603.04779, section 3.3).
        self._source_outputs = self._collect("source") if whole else None

    def inputs(self, domain):
        """Prepares the arguments of `fit` for a domain, "source" or "target"."""
        return TASKS[self.config.task].training_inputs(self.config, self.splits[domain], 0, self._stored[domain])

    def score(self):
        """Scores the learner by every validator and by its coverage, a dict; no score sees a label of the target."""
        source, labels = self._source_outputs or self._collect("source")
        target, _ = self._collect("target")
        criteria = adaptation.VALIDATORS | {adaptation.COVERAGE: adaptation.class_coverage}
        return {name: criterion(source, labels, target) for name, criterion in criteria.items()}

    def _collect(self, domain):
        return adaptation.collect_outputs(self.learner, self.inputs(domain)["validation_data"])

    def _store(self, cut):
        part = transfer.FrozenPart(self.model, [cut], self.config.cache.dtype)
        task, stored = TASKS[self.config.task], {}
        for domain, splits in self.splits.items():
            train, validation = task.activation_sources(self.config, splits)
            values = part.compute(train, {id(cut): None})[id(cut)]
            # The target is validated on the examples that it is adapted to.
            held_out = values if domain == "target" else part.compute(validation, {id(cut): None})[id(cut)]
            stored[domain] = transfer.Features(values, held_out)
        return stored


def list_candidates(config, domains):
    """Lists the candidates of the configured method.

    Args:
        config: `RunConfig` with a method of adaptation.
        domains: `Domains`.

    Returns:
        List of (name, function without arguments that changes the model).
    """
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
    transfer.freeze_to(domains.model, domains.trained, config.batch_norm)
    # The random numbers of the method are then the same for every weight, and in a resumed run.
    devices.reseed(config.seed)
    classifier = adaptation.AdaptedClassifier(domains.learner, _method(config, epochs * steps), weight)
    optimizer = adaptation.make_adaptation_optimizer(
        config.adaptation.learning_rate or RATE,
        epochs * steps,
        weight_decay=config.optimizer.weight_decay,
        clip_norm=config.optimizer.clip_norm,
    )
    models.compile_classifier(classifier, optimizer, label_smoothing=config.model.label_smoothing, xla=config.xla)
    # Keras would trace the step once more to create the optimizer's variables.
    optimizer.build(classifier.trainable_variables)
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
