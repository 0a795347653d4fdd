"""Notes on `batch_norm train`: where few images make it risky, and a warning where it has failed."""

from tl_keras import transfer
from tl_keras.config.derived import without_augmentation
from tl_keras.errors import counted
from tl_keras.tasks.registry import TASKS

FEW_EXAMPLES, SMALL_BATCH = 1000, 16
"""Fewer examples in all, or in a batch, make statistics that differ from those of new images."""
CHECKED_STEPS = 20
MAX_RATIO, MIN_DIFFERENCE = 2.0, 0.2
"""The loss with the learned statistics fails if it exceeds that of training by this factor and this difference."""
ADVICE = "Take --batch_norm inference, or more images."


def note_batch_norm(config, model, plan, num_examples):
    """Describes the risk of training the statistics of batch normalization on few images.

    Args:
        config: `RunConfig`.
        model: `keras.Model`.
        plan: what `plan_phases` returned.
        num_examples: number of training examples.

    Returns:
        List with a sentence, or an empty one.
    """
    is_small = num_examples < FEW_EXAMPLES or config.data.batch_size < SMALL_BATCH
    if (
        config.batch_norm != "train"
        or not is_small
        or not any(transfer.find_batch_norms(model, record["blocks"]) for record in plan)
    ):
        return []
    return [
        f"batch_norm train estimates statistics from batches of {min(config.data.batch_size, num_examples)} of "
        f"{counted(num_examples, 'image')}, too few to fit others: inference, the default, keeps those of the "
        "pretrained network"
    ]


def check_batch_norm(config, model, splits, plan, history):
    """Finds out whether training with the statistics of each batch has failed.

    Batches of few images have statistics that destroy pretrained features, so that the loss does not fall; or it falls,
    but not with the average of the statistics, with which the model computes afterwards.

    Args:
        config: `RunConfig`.
        model: trained and compiled `keras.Model` on one device.
        splits: what the task's `load_data` returned.
        plan: what `plan_phases` returned, with the epochs that were trained.
        history: dict from metric name to its values.

    Returns:
        List with a sentence, or an empty one.
    """
    records = [record for record in plan if transfer.find_batch_norms(model, record["blocks"])]
    if config.batch_norm != "train" or not history.get("loss") or not records:
        return []
    losses = history["loss"]
    before, after = losses[max(0, records[-1]["first_epoch"] - 1)], losses[_last_epoch(records[-1])]
    if after >= before and len(losses) > 1:
        return [
            f"batch_norm train has not helped: the loss of the training images is {after:.2f} after phase "
            f"{records[-1]['name']!r}, but was {before:.2f} before. {ADVICE}"
        ]
    learned, trained = _loss_of_training_images(config, model, splits), losses[_last_epoch(plan[-1])]
    if learned >= MAX_RATIO * trained and learned >= trained + MIN_DIFFERENCE:
        return [
            f"the statistics of batch_norm train do not fit: the loss of the training images is {learned:.2f} with "
            f"them, but was {trained:.2f} with those of each batch. {ADVICE}"
        ]
    return []


def _last_epoch(record):
    """Returns the epoch, counted from 0, whose weights a phase ended with."""
    return record.get("best_epoch", record["first_epoch"] + record["epochs"] - 1)


def _loss_of_training_images(config, model, splits):
    inputs = TASKS[config.task].training_inputs(without_augmentation(config), splits, 0)
    steps = min(inputs["steps_per_epoch"], CHECKED_STEPS)
    return model.evaluate(inputs["x"], steps=steps, verbose=0, return_dict=True)["loss"]
