"""Domain-adaptive pretraining: masked language modelling on the texts of the target, before the first phase."""

from dataclasses import replace

from tl_keras import adaptation
from tl_keras.errors import counted
from tl_keras.system import devices
from tl_keras.tasks.registry import TASKS
from tl_keras.training.variable_files import assign_values, read_values, variable_values, write_values


def pretrain(config, model, target, run):
    """Trains the encoder to guess hidden words of the target's texts.

    Args:
        config: `RunConfig` with `adaptation.masked_epochs`.
        model: text classifier. It is changed.
        target: `Target`.
        run: `RunFolder`. The result is kept in its `checkpoints`, and a resumed run does not repeat the training.
    """
    path = run / "checkpoints" / "masked.npz"
    if earlier := read_values(path, variable_values(model), ("loss",)):
        assign_values(model, earlier[0])
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
    print(f"masked language modelling on the target: {counted(steps, 'step')}, loss {loss:.3f}", flush=True)
    write_values(path, variable_values(model), {"loss": loss})
