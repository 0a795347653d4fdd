"""Progressive unfreezing inside one plain `fit`: no recompilation, one optimizer, its moments kept."""

import time

import keras

from tl_keras.errors import InputError
from tl_keras.phases import check_phases, phase_at, total_epochs
from tl_keras.transfer.audit import FreezeAudit
from tl_keras.transfer.freezing import freeze_to, variables_by_block
from tl_keras.transfer.learning_rates import rate_multipliers
from tl_keras.transfer.plan import plan_phases, variables_of_all_phases
from tl_keras.transfer.staged_adamw import StagedAdamW


class ProgressiveUnfreezing(keras.callbacks.Callback):
    """Trains a model phase by phase within one `fit`.

    At the first epoch of a phase it freezes and thaws the blocks, sets their learning rates and traces the train step
    anew. The optimizer is built once, over every variable that any phase trains, so its moments survive and blocks that
    no phase trains cost no optimizer memory. The phase is a pure function of the epoch: `fit(initial_epoch=...)` goes
    on where an interrupted run stopped.

    Works with every Keras optimizer that was compiled with a number as its learning rate; rates that differ between
    blocks need `StagedAdamW`.

    Example:
        model.compile(tl.StagedAdamW(), "categorical_crossentropy", metrics=["accuracy"])
        phases = [tl.Phase("head", epochs=3, learning_rate=1e-3), tl.Phase("block5", epochs=5, learning_rate=1e-4)]
        model.fit(dataset, epochs=8, callbacks=[tl.ProgressiveUnfreezing(phases)])

    Args:
        phases: list of `Phase`. Epochs of `fit` beyond their sum are not trained: `fit` ends with the last phase.
        batch_norm: "inference" or "train", see `freeze_to`.
        whole_model: the model that the phases speak of, where `fit` trains only a suffix that shares its layers; it
            must have been given to `prepare`. None: the model that is fitted.

    Attributes:
        plan: list of a dict for each phase, as `plan_phases` makes it, from the beginning of `fit` on. A phase that has
            ended also has `seconds` and `audit`, the numbers of variables that stayed frozen and that moved.

    Raises:
        InputError: an empty list of phases, an unknown block or policy, or an optimizer that cannot do what they ask.
        FreezeViolation: at the end of a phase, see `FreezeAudit`.
    """

    def __init__(self, phases, batch_norm="inference", whole_model=None):
        super().__init__()
        check_phases(phases)
        self.phases = list(phases)
        self.batch_norm = batch_norm
        self.whole_model = whole_model
        self.plan = []

    def prepare(self, model):
        """Builds the optimizer of a compiled model over every variable that any phase trains.

        `fit` does it by itself; call it before, where the optimizer's variables are needed earlier, to load them.

        Args:
            model: compiled `keras.Model` whose optimizer has not taken a step over other variables.
        """
        self.plan = plan_phases(model, self.phases, self.batch_norm)
        self._variables = variables_of_all_phases(model, self.phases, self.batch_norm)
        _check_optimizer(model.optimizer, self.phases)
        with model.distribute_strategy.scope():
            model.optimizer = _optimizer_over(model.optimizer, self._variables)

    def on_train_begin(self, logs=None):
        """Prepares the optimizer."""
        self._running = None
        if self.whole_model is None:
            self.prepare(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        """Begins a phase where one begins, or where a resumed run enters it."""
        self._epoch = epoch
        index, _ = phase_at(self.phases, epoch)
        if index != self._running:
            self._begin(index)

    def on_train_batch_begin(self, batch, logs=None):
        """Sets the rate of the middle of the step, or of the epoch where the number of steps is unknown."""
        record, steps = self.plan[self._running], self.params.get("steps")
        epochs_done = self._epoch - record["first_epoch"] + ((batch + 0.5) / steps if steps else 0.5)
        rate = self.phases[self._running].learning_rate_at(epochs_done / record["epochs"])
        self.model.optimizer.learning_rate = rate

    def on_epoch_end(self, epoch, logs=None):
        """Ends a phase with its last epoch, and training with the last phase."""
        record = self.plan[self._running]
        if epoch + 1 == record["first_epoch"] + record["epochs"]:
            record |= {"seconds": time.perf_counter() - self._started, "audit": self._audit.finish()}
        if epoch + 1 == total_epochs(self.phases):
            self.model.stop_training = True

    def _begin(self, index):
        phase, record, model = self.phases[index], self.plan[index], self.whole_model or self.model
        freeze_to(model, phase.train, self.batch_norm)
        if isinstance(optimizer := _innermost(model.optimizer), StagedAdamW):
            blocks = variables_by_block(model)
            optimizer.start_variables(
                rate_multipliers(self._variables, blocks, record["learning_rates"], phase.learning_rate)
            )
        self.model.make_train_function(force=True)
        self._running = index
        self._audit = FreezeAudit(model, record["blocks"])
        self._started = time.perf_counter()


def _optimizer_over(optimizer, variables):
    """Gives the optimizer itself where it already holds these variables, else a fresh copy built over them."""
    inner = _innermost(optimizer)
    if not inner.built:
        optimizer.build(variables)
        return optimizer
    if list(map(id, inner._trainable_variables)) == list(map(id, variables)):
        return optimizer
    if inner.iterations.numpy() > 0:
        raise InputError(
            "The optimizer has already taken steps over other variables than the phases train: "
            "compile the model again with a new optimizer before this fit."
        )
    # Keras builds the optimizer over what is trainable when `fit` is called, before any callback is asked.
    return _optimizer_over(type(optimizer).from_config(optimizer.get_config()), variables)


def _check_optimizer(optimizer, phases):
    optimizer = _innermost(optimizer)
    if not isinstance(optimizer._learning_rate, keras.Variable):
        raise InputError(
            "The phases set the learning rate, but the optimizer was given a schedule of its own: "
            "compile with a number as its learning_rate."
        )
    if isinstance(optimizer, StagedAdamW):
        return
    if any(phase.block_decay != 1 for phase in phases):
        reason = "block_decay gives blocks different learning rates"
    elif optimizer.use_ema:
        reason = "use_ema averages variables that learn in different phases"
    else:
        return
    raise InputError(f"{reason}, which {type(optimizer).__name__} cannot do: compile with tl_keras.StagedAdamW().")


def _innermost(optimizer):
    """Gives the optimizer that a `LossScaleOptimizer` wraps, or the optimizer itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)
