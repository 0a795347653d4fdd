"""Sentences on the temperature of a classifier and on the confidence to ask for."""

from tl_keras.errors import counted
from tl_keras.evaluation.confidence.coverage import MIN_MISTAKES
from tl_keras.evaluation.formatting import format_interval, format_metric
from tl_keras.evaluation.intervals import wilson_interval


def describe_confidence(confidence):
    """Lists the sentences on the temperature and on the recommended confidence.

    Args:
        confidence: dict as metrics.json has it; empty for a model that was not calibrated.

    Returns:
        List of str.
    """
    sentences = describe_temperature(confidence), describe_coverage(confidence)
    return [sentence for sentence in sentences if sentence]


def describe_confidence_changes(confidence):
    """Lists the sentences on what was changed or is recommended; reports also say why nothing is.

    Args:
        confidence: as in `describe_confidence`.

    Returns:
        List of str, at most two.
    """
    is_scaled = confidence.get("temperature", 1) != 1
    temperature = [describe_temperature(confidence)] if is_scaled else []
    return temperature + ([describe_coverage(confidence)] if confidence.get("min_confidence") is not None else [])


def describe_temperature(confidence):
    """Describes the temperature that the logits are divided by, and why.

    Args:
        confidence: dict with `temperature` and perhaps its `fit`, as metrics.json has it; or with `domain`, "source" or
            "target", whose test examples the diagrams of an adapted model show.

    Returns:
        str, empty without `temperature` and `domain`.
    """
    if domain := confidence.get("domain"):
        return (
            "Temperature: none is fitted and no confidence is recommended, because the training sees no label of the "
            f"target, and those of the source say nothing about the confidence there. The diagrams show the {domain}."
        )
    if "temperature" not in confidence:
        return ""
    fit = confidence.get("fit")
    if not fit:
        return (
            "Temperature: none is fitted, because fewer than two labelled examples were held out from the final model."
        )
    change = f"change their log-loss of {fit['loss']:.3f} by {-fit['gain']:+.4f} ± {fit['error']:.4f}"
    if confidence["temperature"] == 1:
        return (
            f"Temperature: none is applied. The one fitted to {counted(fit['examples'], 'held-out example')}, "
            f"{fit['value']:.2f}, would {change} (cross-validated), {_why_not(fit)}."
        )
    return (
        f"Temperature: the logits are divided by {fit['value']:.2f} inside the model, fitted to "
        f"{counted(fit['examples'], 'held-out example')}, which was found to {change} (cross-validated)."
    )


def describe_coverage(confidence):
    """Describes the confidence below which a prediction should count as unsure, and what remains.

    Args:
        confidence: dict with `min_confidence` and what belongs to it, as metrics.json has it.

    Returns:
        str, empty for several labels an example.
    """
    if "min_confidence" not in confidence:
        return ""
    chosen = (
        counted(confidence["chosen_from"], f"{confidence['chosen_on']} example") if "chosen_on" in confidence else ""
    )
    if (threshold := confidence["min_confidence"]) is None:
        wrong = confidence["chosen_wrong"]
        reason = f"none halves the share of mistakes, {wrong} of {chosen}"
        if not wrong:
            reason = f"none of {chosen} is wrong"
        elif wrong < MIN_MISTAKES:
            reason = f"only {wrong} of {chosen} {'is' if wrong == 1 else 'are'} wrong, fewer than {MIN_MISTAKES}"
        return f"Unsure: no confidence is recommended, because {reason}."
    kept, right, examples = (confidence[name] for name in ("kept", "right", "examples"))
    share = format_metric("accuracy", right / max(kept, 1))
    interval = format_interval("accuracy", wilson_interval(right / max(kept, 1), max(kept, 1)))
    reason = f"chosen on {chosen} to halve the share of mistakes" if chosen else "as the run recommends"
    return (
        f"Unsure below {threshold:.2f}, {reason}: {kept} of {counted(examples, 'test example')} are at or above it, "
        f"and {share} ({interval}) of these are right; `predict --min_confidence auto` applies it."
    )


def _why_not(fit):
    """Returns the reason for which a fitted temperature is not applied, a clause."""
    if fit["gain"] <= 0:
        return "which is no gain"
    if fit["examples"] < fit["min_examples"]:
        return (
            f"but {counted(fit['examples'], 'example is', 'examples are')} too few, at least {fit['min_examples']} are "
            "needed"
        )
    errors = "its standard error" if fit["min_errors"] == 1 else f"{fit['min_errors']} of its standard errors"
    return f"a gain of no more than {errors}"
