"""What a trained run leaves behind: the model, its figures, its pictures, a report and a model card."""

import os

from tl_keras import evaluation
from tl_keras.config.config_text import config_text
from tl_keras.tasks.registry import TASKS
from tl_keras.training import adapting

HEADLINES = ("accuracy", "subset_accuracy", "macro_f1", "average_precision_50", "mean_average_precision", "f1")
FILES = (
    "report.html",
    "domains.png",
    "training_boxes.png",
    "detections.png",
    "precision_recall.png",
    "confusion_matrix.png",
    "mistakes.png",
    "mistakes.csv",
    "history.png",
)


def write_results(config, model, splits, history, run, adapted=None):
    """Saves the model, tests it and writes the report.

    Args:
        config: `RunConfig`.
        model: trained `keras.Model`.
        splits: what the task's `load_data` returned.
        history: dict from metric name to its value in each epoch.
        run: `RunFolder`, which is finished with this.
        adapted: what `adapting.adapt` returned, where the model was adapted to another domain.
    """
    task = TASKS[config.task]
    task.save_trained(config, model, run.path)
    predictions = task.predict(model, splits.test, config.data.batch_size)
    threshold = task.choose_threshold(config, model, splits)
    metrics, pictures = task.evaluate(config, predictions, splits.test, run.path, threshold)
    extras = task.report_extras(config, splits, predictions, metrics)
    if "baseline" in extras:
        metrics["baseline"] = extras["baseline"]
    stored = [line for entry in run.read_log("cache")[-1:] for line in entry["lines"]]
    extras["notes"] = [*extras.get("notes", []), *stored]
    if adapted:
        extras["notes"] += adapting.summarize(adapted)
        pictures = [*pictures, *adapted.pop("pictures")]
        metrics["adaptation"] = adapted
    # A run killed between a phase's line and its checkpoint has repeated the phase: the later line counts.
    phases = list({phase["first_epoch"]: phase for phase in run.read_log("phase")}.values())
    evaluation.plot_history(_of_one_objective(history), _phase_spans(phases), run / "history.png")
    evaluation.write_report(
        run / "report.html",
        title=_title(config),
        metrics=metrics,
        phases=[_phase_row(phase) for phase in phases],
        config_text=config_text(config),
        plots=[*pictures, ("Training", run / "history.png")],
        versions=run.read_json("versions.json"),
        **extras,
    )
    _write_model_card(config, model, splits, metrics, run)
    run.write_json("history.json", history)
    run.write_json("metrics.json", metrics)
    run.finish()


def format_results(run):
    """Formats the test figures of a folder of results, and where to look.

    Args:
        run: `RunFolder` with `metrics.json`.

    Returns:
        Text of several lines.
    """
    metrics = run.read_json("metrics.json")
    files = [f"  {run / name}" for name in FILES if (run / name).exists()]
    compared = _compared(metrics["baseline"]) if "baseline" in metrics else []
    if "adaptation" in metrics:
        compared += adapting.summarize(metrics["adaptation"])
    return "\n".join([f"test: {_headlines(metrics)}  ({metrics['examples']} examples)", *compared, *files])


def _compared(baseline):
    return [f"{baseline['name']}: {_headlines(baseline)}", baseline["verdict"]]


def _headlines(metrics):
    return "  ".join(f"{name} {metrics[name]:.3f}" for name in HEADLINES if metrics.get(name) is not None)


def _phase_row(phase):
    audit = "{frozen} frozen bit-identical, {moved} moved".format(**phase["audit"])
    return phase | {"learning_rate": max(phase["learning_rates"].values()), "audit": audit}


def _phase_spans(phases):
    return [(phase["name"], phase["first_epoch"] + 1, phase["first_epoch"] + phase["epochs"]) for phase in phases]


def _of_one_objective(history):
    """Leaves the losses of phases out that compare examples with each other, which say nothing beside the others.

    Those phases report no accuracy.
    """
    told = [value is not None for value in history.get("accuracy", [])]
    if all(told):
        return history
    return {
        name: [value if known else None for value, known in zip(values, told, strict=True)]
        for name, values in history.items()
    }


def _title(config):
    """Names network and data; of paths, which may tell more than a reader need know, the last part."""
    return f"{_network(config)} on {os.path.basename(config.data.path)}"


def _network(config):
    backbone, detector = os.path.basename(config.model.backbone), config.detection.detector
    names_itself = config.task != "object_detection" or backbone.startswith(detector)
    return backbone if names_itself else f"{detector} with {backbone}"


def _technique(config):
    technique = "phases written by hand" if config.phases else config.recipe
    return f"{technique}, LoRA of rank {config.model.lora_rank}" if config.model.lora_rank else technique


def _write_model_card(config, model, splits, metrics, run):
    evaluation.write_model_card(
        run / "model_card.md",
        title=_title(config),
        model={
            "Network" if config.task == "object_detection" else "Backbone": _network(config),
            "Weights before training": config.model.weights,
            "Technique": _technique(config),
            "Parameters": model.count_params(),
        },
        data={
            "Data": os.path.basename(config.data.path),
            "Training examples": len(splits.train),
            "Validation examples": len(splits.validation),
            "Test examples": len(splits.test),
        },
        metrics=metrics,
        class_names=splits.class_names,
        multi_label=config.data.multi_label,
        **TASKS[config.task].card_facts(config, model),
    )
