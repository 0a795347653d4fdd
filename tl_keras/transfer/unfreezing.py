"""Progressive unfreezing inside one plain `fit`: no recompilation, one optimizer, its moments kept."""

import math
import time

import keras

from tl_keras import distribution
from tl_keras.errors import InputError
from tl_keras.phases import check_phases, is_better, phase_at, phase_seconds
from tl_keras.transfer.audit import FreezeAudit
from tl_keras.transfer.freezing import changeable_variables, freeze_to, variables_by_block
from tl_keras.transfer.learning_rates import blocks_that_move, rate_multipliers
from tl_keras.transfer.phase_optimizer import check_optimizer, check_steps, innermost_optimizer, optimizer_over
from tl_keras.transfer.plan import plan_phases, untouched_variables, variables_of_all_phases
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

    A phase ends after its epochs, or earlier by its `until` or for want of time; which epoch that was is kept in
    `state`, so that a resumed run does not have to decide again. With `restore_best` a phase hands on the weights of
    its best epoch. Moving averages of the weights (`use_ema`) take their place at the end of each phase.

    Args:
        phases: list of `Phase`. Epochs of `fit` beyond their sum are not trained: `fit` ends with the last phase.
        batch_norm: "inference", "recalibrate" or "train", see `freeze_to`. A callback sees no data to recalibrate from:
            where the whole of the training is one `fit`, call `recalibrate_batch_norm` before and leave "inference".
        whole_model: the model that the phases speak of, where each `fit` trains one phase, on a suffix that shares its
            layers; it must have been given to `prepare`. None: the model that is fitted, through all phases.
        max_seconds: time that all phases share, by `phase_seconds`, counted from the beginning of `fit` or from
            `prepare`. No epoch is begun that would not fit into its phase's part, but each phase has at least one, and
            its learning rate falls with the time used. None: as long as it takes.

    Attributes:
        plan: list of a dict for each phase, as `plan_phases` makes it, from the beginning of `fit` on. A phase that has
            ended also has `seconds`, `ended_by` ("epochs", "plateau" or "time") and `audit`, the numbers of variables
            that stayed frozen and that moved.
        state: dict ready for JSON, as it is after an epoch: `ends`, the first epoch after each phase that has ended;
            `seconds`, the time used; `best` and `waited`, the value of the best epoch of the running phase and the
            epochs since; `rate`, what every learning rate is multiplied by; `steps`, in a resumed `fit` the steps of
            its first epoch that are done already. `snapshot` gives it to be saved at any step.
        untouched: list of a list of `keras.Variable` for each phase, from `prepare` on: those that neither it nor any
            phase before it changes.
        best_weights: list of arrays, to be saved with it: the weights of that epoch, where the phase restores them.

    Raises:
        InputError: an empty list of phases, an unknown block or policy, an optimizer that cannot do what they ask, a
            phase too short for one step of accumulated gradients, or a metric to watch that `fit` does not report, or
            never as a number.
        FreezeViolation: at the end of a phase, see `FreezeAudit`.
    """

    def __init__(self, phases, batch_norm="inference", whole_model=None, max_seconds=None):
        super().__init__()
        check_phases(phases)
        self.phases = list(phases)
        self.batch_norm = batch_norm
        self.whole_model = whole_model
        self.max_seconds = max_seconds
        self.plan = []
        self.state = {"ends": [], "seconds": 0.0, "best": None, "waited": 0, "rate": 1.0, "steps": 0}
        self.best_weights = []
        self._steps_before = self._steps = 0

    def prepare(self, model, steps_per_epoch=None):
        """Builds the optimizer of a compiled model over every variable that any phase trains.

        `fit` does it by itself; call it before, where the optimizer's variables are needed earlier, to load them.

        Args:
            model: compiled `keras.Model` whose optimizer has not taken a step over other variables.
            steps_per_epoch: number of batches in an epoch; None where it is unknown.
        """
        self.plan = plan_phases(model, self.phases, self.batch_norm, self.state["ends"])
        self._variables = variables_of_all_phases(model, self.phases, self.batch_norm)
        self.untouched = untouched_variables(model, self.phases, self.batch_norm)
        check_optimizer(model.optimizer, self.phases)
        if steps_per_epoch is not None:
            check_steps(model.optimizer, self.phases, steps_per_epoch, may_end=self.max_seconds is not None)
        with model.distribute_strategy.scope():
            model.optimizer = optimizer_over(model.optimizer, self._variables)
        self._mark = time.perf_counter()

    def snapshot(self):
        """Gives the `state` of this step, to be saved with all variables, those of the metrics included.

        Returns:
            Dict ready for JSON.
        """
        self._count_seconds()
        return self.state | {"steps": self._steps}

    def resume(self, state, best_weights=()):
        """Puts back what an interrupted run saved.

        Where that was in the middle of an epoch, `fit` must know its number of steps, read what is left of the epoch
        first, and find the metrics as they were after it has reset them.

        Args:
            state: the `state` or `snapshot` that was saved.
            best_weights: the `best_weights` that were saved with it.
        """
        self.state, self.best_weights = self.state | state, list(best_weights)
        self._steps = self.state["steps"]

    def on_train_begin(self, logs=None):
        """Prepares the optimizer."""
        self._running = None
        if self.whole_model is not None:
            return
        if self.batch_norm == "recalibrate":
            raise InputError(
                "batch_norm 'recalibrate' needs data, which a callback does not see: call "
                "tl_keras.recalibrate_batch_norm(model, data) before fit and leave batch_norm at 'inference'."
            )
        self.prepare(self.model, self.params.get("steps"))

    def on_epoch_begin(self, epoch, logs=None):
        """Begins a phase where one begins, or where a resumed run enters it."""
        self._epoch, self._epoch_started = epoch, time.perf_counter()
        self._steps_before = self._steps = self.state["steps"]
        self.state["steps"] = 0
        index, first_epoch = phase_at(self.phases, epoch, self.state["ends"])
        if index != self._running:
            self._begin(index, first_epoch)

    def on_train_batch_begin(self, batch, logs=None):
        """Sets the rate of the step; of several at once that of each, or in a plain `fit` that of the middle one."""
        at_once, steps = self.model.steps_per_execution, self.params.get("steps") or math.inf
        rates = [self._rate_of(step) for step in range(batch, int(min(batch + at_once, steps - self._steps_before)))]
        if at_once > 1 and isinstance(self.model, distribution.ShardedSteps):
            self.model.announce_rates(rates)
        else:
            self.model.optimizer.learning_rate = rates[len(rates) // 2]

    def _rate_of(self, step):
        """The rate in the middle of a step, or of the epoch where the number of steps is unknown."""
        phase, steps = self.phases[self._running], self.params.get("steps")
        share = (self._steps_before + step + 0.5) / steps if steps else 0.5
        epochs_done = self._epoch - self.plan[self._running]["first_epoch"] + share
        position = epochs_done / phase.epochs
        # The first epoch is trained even where time is up, and so not at a rate of zero.
        if epochs_done >= 1:
            position = max(position, (time.perf_counter() - self._started) / self._seconds)
        return phase.learning_rate_at(position) * self.state["rate"]

    def on_train_batch_end(self, batch, logs=None):
        """Counts the steps, and ends an epoch that was resumed in its middle."""
        self._steps = int(min(self._steps_before + batch + 1, self.params.get("steps") or math.inf))
        if self._steps_before and self._steps == self.params.get("steps"):
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        """Watches the metric, ends a phase with its last epoch, and training with the last phase."""
        if self._steps_before:
            self.model.stop_training = False
        self._steps = 0
        self._count_seconds()
        phase = self.phases[self._running]
        if phase.until or phase.restore_best:
            self._watch(phase, logs or {})
        if ended_by := self._reason_to_end(phase, epoch):
            self._end(phase, epoch, ended_by)

    def _begin(self, index, first_epoch):
        phase, model = self.phases[index], self.whole_model or self.model
        self.plan[index]["first_epoch"] = first_epoch
        if is_new := self._epoch == first_epoch and not self._steps_before:
            # What is left of an earlier fit that was broken off says nothing about this one.
            self.state |= {"best": None, "waited": 0, "seconds": self.state["seconds"] if first_epoch else 0.0}
            self.best_weights = []
        # Where fit begins in mid-run, or once more, what has ended follows from the epoch.
        planned = [record["first_epoch"] + record["epochs"] for record in self.plan]
        self.state["ends"] = [*self.state["ends"], *planned[len(self.state["ends"]) :]][:index]
        freeze_to(model, phase.train, self.batch_norm)
        if isinstance(optimizer := innermost_optimizer(model.optimizer), StagedAdamW):
            blocks, rates = variables_by_block(model), self.plan[index]["learning_rates"]
            optimizer.start_variables(rate_multipliers(self._variables, blocks, rates, phase.learning_rate))
        self.model.make_train_function(force=True)
        self._running = index
        # The few steps that a resumed run has left in a phase need not move anything.
        self._audit = FreezeAudit(model, blocks_that_move(self.plan[index]["learning_rates"]) if is_new else [])
        self._count_seconds()
        self._started, self._seconds = self._mark, math.inf
        if self.max_seconds is not None:
            self._seconds = phase_seconds(self.phases, index, max(self.max_seconds - self.state["seconds"], 1e-3))

    def _count_seconds(self):
        now = time.perf_counter()
        self.state["seconds"] += now - self._mark
        self._mark = now

    def _watch(self, phase, logs):
        if phase.monitor not in logs:
            raise InputError(
                f"Phase {phase.name!r} watches {phase.monitor!r}, which fit does not report: it reports "
                f"{', '.join(logs)}; give validation data, in every epoch, or another monitor."
            )
        if is_better(
            phase.monitor, logs[phase.monitor], self.state["best"], phase.until.min_delta if phase.until else 0.0
        ):
            self.state |= {"best": float(logs[phase.monitor]), "waited": 0}
            if phase.restore_best:
                self.best_weights = [v.numpy() for v in changeable_variables(self.whole_model or self.model)]
        else:
            self.state["waited"] += 1

    def _reason_to_end(self, phase, epoch):
        done = epoch + 1 - self.plan[self._running]["first_epoch"]
        if done >= phase.epochs:
            return "epochs"
        if phase.until and self.state["waited"] >= phase.until.patience:
            return "plateau"
        now = time.perf_counter()
        return "time" if now + (now - self._epoch_started) > self._started + self._seconds else None

    def _end(self, phase, epoch, ended_by):
        record, model = self.plan[self._running], self.whole_model or self.model
        optimizer = innermost_optimizer(model.optimizer)
        if optimizer.use_ema:
            optimizer.finalize_variable_values(self._variables)
        record |= {
            "epochs": epoch + 1 - record["first_epoch"],
            "seconds": time.perf_counter() - self._started,
            "ended_by": ended_by,
            # Before the best weights return: those may be the ones that a resumed run began with.
            "audit": self._audit.finish(),
        }
        if phase.restore_best:
            self._restore_best(phase, changeable_variables(model))
        self.state |= {"ends": [*self.state["ends"], epoch + 1], "best": None, "waited": 0}
        self.best_weights = []
        if self.whole_model is not None or len(self.state["ends"]) == len(self.phases):
            self.model.stop_training = True

    def _restore_best(self, phase, variables):
        if not self.best_weights:
            raise InputError(
                f"Phase {phase.name!r} never reported a {phase.monitor} that is a number, and so has no best weights: "
                "lower its learning rate, or look for values in the data that are not finite."
            )
        for variable, best in zip(variables, self.best_weights, strict=True):
            variable.assign(best)
