"""Parts of a report with every section, for its tests."""

from tl_keras.evaluation.classification import classification_metrics
from tl_keras.evaluation.report import ReportExamples, write_report
from tl_keras.evaluation.tiles import Tile

METRICS = classification_metrics([0, 0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]], ["cat", "<b>dog"])
PHASE = {"name": "head", "blocks": ["head", "b5"], "trainable_parameters": 12345, "learning_rate": 1e-3, "epochs": 2}


def all_examples(name, embedded="data:image/jpeg;base64,AA=="):
    """Returns examples of every kind that have this name everywhere."""
    image, text = Tile((name, name), (embedded,) * 2), Tile((name, name), text=name)
    return ReportExamples(
        counts={"splits": [name], "rows": [(name, [1])]},
        sheet=(image,),
        sheet_note=name,
        worst=(Tile((name,), words=((name, 0.5, 70), (name, -0.5, 70)), is_mistake=True),),
        by_class=((name, (text,), (image,)),),
    )


def write_whole_report(path, plot, name="cat", **parts):
    """Writes a report with every section.

    Args:
        path: the HTML file.
        plot: path of an image file.
        name: name of everything that may have a long one.
        **parts: arguments of `write_report` that replace the others.
    """
    confidence = {"temperature": 1.0, "min_confidence": 0.65, "chosen_on": "held-out", "chosen_from": 40}
    confidence |= {"kept": 3, "right": 3, "examples": 4}
    whole = {
        "title": name,
        "metrics": METRICS | {"confidence": confidence},
        "phases": [PHASE],
        "config_text": f"seed: 0  # {name}",
        "plots": [(name, plot)],
        "skipped": [(name, "empty")],
        "versions": {"keras": "3.15.1"},
        "baselines": [{"name": name, "accuracy": 0.25}],
        "verdict": [name],
        "mistakes": [{"text": name, "true": "cat", "predicted": "dog", "probability": 0.9}],
        "notes": [name],
        "facts": [("Command", f"python -m tl_keras.train {name}")],
        "decisions": [name],
        "suspicious": [name],
        "confidence": ([True, False, True, True], [0.9, 0.6, 0.7, 0.8]),
        "examples": all_examples(name),
    }
    write_report(path, **(whole | parts))
