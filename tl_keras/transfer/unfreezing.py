"""Progressive unfreezing inside one plain `fit`, without recompilation and with one optimizer."""

import math
import time
import warnings

import keras

from tl_keras import distribution
from tl_keras.errors import InputError
from tl_keras.phases import check_phases, phase_at, phase_seconds
from tl_keras.transfer.audit import FreezeAudit
from tl_keras.transfer.best_epoch import assign_best, monitor_mode, note_epoch
from tl_keras.transfer.first_batch import build_at_first_step
from tl_keras.transfer.freezing import changeable_variables, freeze_to, variables_by_block
from tl_keras.transfer.learning_rates import moving_blocks, rate_multipliers
from tl_keras.transfer.phase_backup import PhaseBackup
from tl_keras.transfer.phase_optimizer import (
    check_optimizer,
    check_steps,
    describe_unmoved,
    innermost_optimizer,
    optimizer_over,
)
from tl_keras.transfer.plan import find_epoch_mismatch, plan_phases, untouched_variables, variables_of_all_phases
from tl_keras.transfer.rate_watch import RateWatch
from tl_keras.transfer.staged_adamw import StagedAdamW


class ProgressiveUnfreezing(keras.callbacks.Callback):
    """Trains a model phase by phase within one `fit`.

    At the first epoch of a phase it freezes and unfreezes blocks, sets their learning rates and retraces the train
    step. The optimizer is built once, over every variable that any phase trains, so its moments survive, and blocks
    that no phase trains need no optimizer memory. The phase depends only on the epoch: `fit(initial_epoch=...)` resumes
    an interrupted run.

    It works with every Keras optimizer that was compiled with a number as its learning rate; different rates per block
    need `StagedAdamW`.

    Example:
        model.compile(tl.StagedAdamW(), "categorical_crossentropy", metrics=["accuracy"])
        phases = [tl.Phase("head", epochs=3, learning_rate=1e-3), tl.Phase("block5", epochs=5, learning_rate=1e-4)]
        model.fit(dataset, epochs=8, callbacks=[tl.ProgressiveUnfreezing(phases)])

    A phase ends after its epochs, or earlier because of its `until` or the time limit; the epoch is recorded in
    `state`, so that a resumed run ends it at the same place. With `restore_best` a phase ends with the weights of its
    best epoch. Moving averages of the weights (`use_ema`) replace the weights at the end of each phase.

    Args:
        phases: list of `Phase`, at least one. `fit` stops after the last phase, with a warning if its `epochs` are more
            or fewer than the phases have.
        batch_norm: policy for BatchNormalization layers, see `freeze_to`: "inference" (default), "train", or
            "recalibrate" together with `whole_model`. In a single `fit` the callback has no data to recalibrate from:
            call `recalibrate_batch_norm` before and keep "inference".
        whole_model: `keras.Model` that the phases refer to if each `fit` trains one phase on a suffix that shares its
            layers; call `prepare` with it first. None (default): the fitted model, through all phases.
        max_seconds: time limit in seconds for all phases together, above 0, counted from the start of `fit` or from
            `prepare` and divided by `phase_seconds`. A phase trains at least one epoch and starts no epoch that would
            exceed its share; its learning rate decays with the time used. None (default): no limit.

    Attributes:
        plan: list with a dict per phase from `plan_phases`, available once `fit` has started. A phase that has ended
            also has `seconds`, `planned_epochs`, `ended_by` ("epochs", "plateau" or "time"), `audit`, the numbers of
            variables that stayed frozen and that moved, `warnings`, a list of sentences on blocks that did not move,
            which a plain `fit` also issues as warnings, and with `restore_best` its `best_epoch`, counted from 0.
        state: JSON-serializable dict, as of the last completed epoch: `ends`, the first epoch after each phase that has
            ended; `seconds`, the time used; `best` and `waited`, the best value of the running phase's monitor and the
            number of epochs since; `rate`, a factor for every learning rate; `steps`, in a resumed `fit` the number of
            steps already done in its first epoch. `snapshot` returns it for saving at any step.
        untouched: list with a list of `keras.Variable` per phase, available after `prepare`: those that neither it nor
            an earlier phase changes.
        best_weights: list of arrays to save together with `state`: the weights of the best epoch if the phase restores
            them.

    Raises:
        InputError: the list of phases is empty; a block or the policy is unknown; the optimizer does not support the
            phases; a phase is too short for one step of accumulated gradients; or `fit` does not report the monitored
            metric, or never as a number.
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
        self._running = None

    def prepare(self, model, steps_per_epoch=None):
        """Builds the optimizer of a compiled model over every variable that any phase trains.

        `fit` calls it itself. Call it before `fit` only if the optimizer's variables are needed earlier, for example to
        load them.

        Args:
            model: compiled `keras.Model` whose optimizer has not taken a step over other variables.
            steps_per_epoch: number of batches in an epoch, at least 1; None (default) if unknown.
        """
        for phase in self.phases:
            monitor_mode(phase, model)
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
        """Returns the `state` at this step, to be saved together with all variables, including those of metrics.

        Returns:
            JSON-serializable dict.
        """
        self._count_seconds()
        return self.state | {"steps": self._steps}

    def resume(self, state, best_weights=()):
        """Restores the state of an interrupted run.

        To resume in the middle of an epoch, `fit` must know the number of steps, its data must start with the rest of
        that epoch, and the metrics must be restored after `fit` has reset them.

        Args:
            state: the saved `state` or `snapshot`.
            best_weights: the `best_weights` saved with it.
        """
        self.state, self.best_weights = self.state | state, list(best_weights)
        self._steps = self.state["steps"]

    def set_model(self, model):
        """Prepares the optimizer, before `on_train_begin` of any callback loads its variables."""
        super().set_model(model)
        self._running = None
        if self.whole_model is not None:
            return
        if self.batch_norm == "recalibrate":
            raise InputError(
                "batch_norm 'recalibrate' needs data, which a callback does not have: call "
                "tl_keras.recalibrate_batch_norm(model, data) before fit and keep batch_norm at 'inference'."
            )
        self._backup = PhaseBackup(self)
        self._backup.attach(model)
        if model.built:
            self.prepare(model)

    def on_train_begin(self, logs=None):
        """Checks the number of steps, or waits for the first batch if the model is not built."""
        self._running = None
        if self.whole_model is not None:
            return
        self._watch = RateWatch(self.model.optimizer)
        for sentence in find_epoch_mismatch(self.phases, self.params.get("epochs")):
            warnings.warn(sentence, stacklevel=2)
        if not self.model.built:
            build_at_first_step(self.model, self._start_built_model)
        elif steps := self.params.get("steps"):
            check_steps(self.model.optimizer, self.phases, steps, may_end=self.max_seconds is not None)

    def on_train_end(self, logs=None):
        """Removes the state from the model."""
        if self.whole_model is None:
            self._backup.detach(self.model)

    def _start_built_model(self):
        self.prepare(self.model, self.params.get("steps"))
        self._start_epoch(self._epoch)
        self.on_train_batch_begin(0)

    def on_epoch_begin(self, epoch, logs=None):
        """Starts the phase of the epoch if it is not running yet."""
        self._epoch = epoch
        if self.whole_model is None and self._running is None:
            if not self.model.built:
                return
            self._follow_loaded_weights(epoch)
        self._start_epoch(epoch)

    def _follow_loaded_weights(self, epoch):
        """Takes over the rate and the state from a file, and the end of an epoch that was backed up before it."""
        if self._backup.loaded:
            self._watch = RateWatch(self.model.optimizer)
        if self._backup.restored:
            self.plan = plan_phases(self.model, self.phases, self.batch_norm, self.state["ends"])
        if (missed_logs := self._backup.missed_logs(epoch)) is not None:
            self._start_epoch(epoch - 1)
            self.on_epoch_end(epoch - 1, missed_logs)

    def _start_epoch(self, epoch):
        self._epoch, self._epoch_started = epoch, time.perf_counter()
        self._steps_before = self._steps = self.state["steps"]
        self.state["steps"] = 0
        index, first_epoch = phase_at(self.phases, epoch, self.state["ends"])
        if index != self._running:
            self._start_phase(index, first_epoch)

    def on_train_batch_begin(self, batch, logs=None):
        """Sets the learning rate of the step; with several steps per execution, of each or of the middle one."""
        if self._running is None:
            return
        if self.whole_model is None:
            self.state["rate"] *= self._watch.reduction(self.model.optimizer, batch)
        per_execution, steps = self.model.steps_per_execution, self.params.get("steps") or math.inf
        stop = int(min(batch + per_execution, steps - self._steps_before))
        rates = [self._rate_of(step) for step in range(batch, stop)]
        if per_execution > 1 and isinstance(self.model, distribution.SeveralSteps):
            self.model.announce_rates(rates)
            rate = rates[-1]
        else:
            self.model.optimizer.learning_rate = rate = rates[len(rates) // 2]
        if self.whole_model is None:
            self._watch.rate = rate

    def _rate_of(self, step):
        """Computes the rate in the middle of a step, or of the epoch if the number of steps is unknown."""
        phase, steps = self.phases[self._running], self.params.get("steps")
        share = (self._steps_before + step + 0.5) / steps if steps else 0.5
        epochs_done = self._epoch - self.plan[self._running]["first_epoch"] + share
        position = epochs_done / phase.epochs
        # The first epoch is trained even if the time is up, so its rate must not be zero.
        if epochs_done >= 1:
            position = max(position, (time.perf_counter() - self._started) / self._seconds)
        return phase.learning_rate_at(position) * self.state["rate"]

    def on_train_batch_end(self, batch, logs=None):
        """Counts the steps and ends an epoch that was resumed in its middle."""
        self._steps = int(min(self._steps_before + batch + 1, self.params.get("steps") or math.inf))
        if self._steps_before and self._steps == self.params.get("steps"):
            self.model.stop_training = True
        if self.whole_model is None:
            self._backup.logs = dict(logs or {})

    def on_test_end(self, logs=None):
        """Records the metrics of a validation for a backup that is written before `on_epoch_end`."""
        if self.whole_model is None:
            self._backup.logs |= {f"val_{name}": value for name, value in (logs or {}).items()}

    def on_epoch_end(self, epoch, logs=None):
        """Monitors the metric, ends a phase after its last epoch, and stops `fit` after the last phase."""
        if self.whole_model is None:
            self._backup.epochs = epoch + 1
        if self._steps_before:
            self.model.stop_training = False
        self._steps = 0
        self._count_seconds()
        phase = self.phases[self._running]
        if phase.until or phase.restore_best:
            is_best = note_epoch(phase, logs or {}, self.state, monitor_mode(phase, self.model))
            if is_best and phase.restore_best:
                self.best_weights = [v.numpy() for v in changeable_variables(self.whole_model or self.model)]
        if ended_by := self._reason_to_end(phase, epoch):
            self._end_phase(phase, epoch, ended_by)

    def _start_phase(self, index, first_epoch):
        phase, model = self.phases[index], self.whole_model or self.model
        self.plan[index]["first_epoch"] = first_epoch
        if is_new := self._epoch == first_epoch and not self._steps_before:
            # Discard what an interrupted earlier fit has left.
            self.state |= {"best": None, "waited": 0, "seconds": self.state["seconds"] if first_epoch else 0.0}
            self.best_weights = []
        # If fit starts in the middle of the run, or again, the epoch determines which phases have ended.
        planned = [record["first_epoch"] + record["epochs"] for record in self.plan]
        self.state["ends"] = [*self.state["ends"], *planned[len(self.state["ends"]) :]][:index]
        freeze_to(model, phase.train, self.batch_norm)
        if isinstance(optimizer := innermost_optimizer(model.optimizer), StagedAdamW):
            blocks, rates = variables_by_block(model), self.plan[index]["learning_rates"]
            optimizer.start_variables(rate_multipliers(self._variables, blocks, rates, phase.learning_rate))
        self.model.make_train_function(force=True)
        self._running = index
        # The few steps left in a resumed phase need not move every block.
        self._audit = FreezeAudit(model, moving_blocks(self.plan[index]["learning_rates"]) if is_new else [])
        self._count_seconds()
        self._started, self._seconds = self._mark, math.inf
        if self.max_seconds is not None:
            self._seconds = phase_seconds(self.phases, index, max(self.max_seconds - self.state["seconds"], 1e-3))

    def _count_seconds(self):
        now = time.perf_counter()
        self.state["seconds"] += now - self._mark
        self._mark = now

    def _reason_to_end(self, phase, epoch):
        done = epoch + 1 - self.plan[self._running]["first_epoch"]
        if done >= phase.epochs:
            return "epochs"
        if phase.until and self.state["waited"] >= phase.until.patience:
            return "plateau"
        now = time.perf_counter()
        return "time" if now + (now - self._epoch_started) > self._started + self._seconds else None

    def _end_phase(self, phase, epoch, ended_by):
        record, model = self.plan[self._running], self.whole_model or self.model
        optimizer = innermost_optimizer(model.optimizer)
        if optimizer.use_ema:
            optimizer.finalize_variable_values(self._variables)
        record |= {
            "epochs": epoch + 1 - record["first_epoch"],
            "seconds": time.perf_counter() - self._started,
            "planned_epochs": phase.epochs,
            "ended_by": ended_by,
            # Audit before the best weights are restored: they may be those at the start of a resumed run.
            "audit": self._audit.finish(),
        }
        record["warnings"] = describe_unmoved(phase, optimizer, self._audit.unmoved)
        for sentence in record["warnings"] if self.whole_model is None else ():
            warnings.warn(sentence, stacklevel=2)
        if phase.restore_best:
            assign_best(phase, changeable_variables(model), self.best_weights)
            record["best_epoch"] = epoch - self.state["waited"]
        self.state |= {"ends": [*self.state["ends"], epoch + 1], "best": None, "waited": 0}
        self.best_weights = []
        if self.whole_model is not None or len(self.state["ends"]) == len(self.phases):
            self.model.stop_training = True
