"""Report of a test of a finished run: its figures, its confidence, and explained mistakes."""

from importlib.metadata import version

from tl_keras import evaluation


def write_evaluation_report(path, title, run, metrics, plots, examples, predictions):
    """Writes the report.

    Args:
        path: the HTML file.
        title: str, its heading.
        run: `TrainedRun`.
        metrics: dict, what the task's `evaluate` returned, with `measure_min_confidence`.
        plots: list of (caption, path of a plot), what it returned as well.
        examples: the tested examples.
        predictions: what `predict_set` returned for them.
    """
    labels = run.task.example_labels(examples) if run.task.has_one_class(run.config) else None
    evaluation.write_report(
        path,
        title=title,
        metrics=metrics,
        phases=[],
        config_text="",
        plots=plots,
        skipped=[],
        versions={name: version(name) for name in ("tensorflow", "keras")},
        confidence=None if labels is None else evaluation.confidence_of(labels, predictions),
        examples=run.task.tested_examples(run.config, run.model, examples, predictions),
    )


def measure_min_confidence(run, examples, predictions):
    """Measures what the recommended confidence of a run leaves of other examples.

    Args:
        run: `TrainedRun`.
        examples: the tested examples.
        predictions: float32 (n, num_classes), for a run that classifies.

    Returns:
        dict of `confidence`; empty where the run recommends none.
    """
    if not run.task.gives_probabilities or run.min_confidence is None:
        return {}
    confidence = evaluation.confidence_of(run.task.example_labels(examples), predictions)
    kept = evaluation.measure_coverage(*confidence, run.min_confidence)
    return {"confidence": {"min_confidence": run.min_confidence, **kept, "examples": len(predictions)}}
