"""An AdamW for staged training: built once over all variables, of which some learn, each at its own rate."""

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable("tl_keras")
class StagedAdamW(keras.optimizers.AdamW):
    """AdamW whose variables may start late and learn at rates of their own.

    Loshchilov and Hutter 2019 (https://arxiv.org/abs/1711.05101), algorithm 2, with three additions that staged
    unfreezing needs and one that texts need:

    - Each variable has a rate multiplier. It scales the *update*: Adam is nearly blind to the scale of a gradient.
      Weight decay is scaled with it.
    - Each variable has a birth step. Adam's bias correction counts from there; counted from the start of the run, the
      first twenty updates of a variable thawed late are 2.5 to 5 times too large.
    - The moving averages of `use_ema` are written back to the variables they belong to. Keras 3.15.1 pairs them with
      the variables that happen to learn at the end of `fit`. The average of a frozen variable is the variable itself.
    - A gradient of some rows of a table, those of the words of a batch, moves and decays these alone, as SparseAdam of
      PyTorch does. In AdamW the others go on by their momentum, and each step passes over the whole table. Gradients of
      a word that comes twice are summed before they are squared, which Keras 3.15.1 leaves out.

    Weight decay leaves alone what is not a matrix or a kernel: biases, scales and offsets, and besides what
    `exclude_from_weight_decay` names.
    """

    gradients_arrive_summed = False
    """Whether the train step has summed the gradients over the replicas, before they were clipped."""

    def build(self, variables):
        """Creates moments, multipliers (all 1) and birth steps (none yet) for a list of `keras.Variable`."""
        if self.built:
            return
        if self.amsgrad:
            raise ValueError("StagedAdamW has no AMSGrad variant: got amsgrad=True, expected False.")
        super().build(variables)
        shape = (len(variables),)
        self._rate_multipliers = self.add_variable(shape, "ones", dtype="float32", name="rate_multipliers")
        self._start_steps = self.add_variable(shape, keras.initializers.Constant(-1), dtype="int64", name="birth_steps")

    def start_variables(self, multipliers):
        """Sets which variables learn and how fast; one that learns for the first time is born at the present step.

        Args:
            multipliers: float32 array, one number >= 0 for each variable the optimizer was built on; 0 means frozen.
        """
        multipliers = ops.convert_to_tensor(multipliers, "float32")
        newborn = ops.logical_and(self._start_steps < 0, multipliers > 0)
        now = ops.cast(self.iterations, "int64")
        self._start_steps.assign(ops.where(newborn, now, self._start_steps))
        self._rate_multipliers.assign(multipliers)

    def update_step(self, gradient, variable, learning_rate):
        """Moves one variable by one step of AdamW, at its own rate and with its own bias correction."""
        index = self._get_variable_index(variable)
        own, momentum, velocity = (
            known[index].value for known in (self._trainable_variables, self._momentums, self._velocities)
        )
        dtype = own.dtype
        rate = ops.cast(learning_rate * self._rate_multipliers[index], dtype)
        age = ops.cast(self._age(index), dtype)
        decay = self.weight_decay if self.weight_decay and self._decays(index) else 0.0
        if isinstance(gradient, tf.IndexedSlices):
            self._update_rows(gradient, (own, momentum, velocity), rate, age, 1 - rate * decay)
            return
        if decay:
            own.assign(ops.multiply(own, 1 - rate * decay))
        # One pass over memory, where the same in single operations takes a dozen.
        tf.raw_ops.ResourceApplyAdam(
            var=own.handle,
            m=momentum.handle,
            v=velocity.handle,
            beta1_power=ops.power(ops.cast(self.beta_1, dtype), age),
            beta2_power=ops.power(ops.cast(self.beta_2, dtype), age),
            lr=rate,
            beta1=ops.cast(self.beta_1, dtype),
            beta2=ops.cast(self.beta_2, dtype),
            epsilon=ops.cast(self.epsilon, dtype),
            grad=ops.cast(gradient, dtype),
        )

    def _update_rows(self, gradient, tables, rate, age, kept):
        """Moves the rows that a gradient is of; `kept` is what weight decay leaves of them."""
        rows, count = gradient.indices, tf.size(gradient.indices)
        # A row that comes more than once is moved as often, each time to the same place: how many rows there are is
        # then known to XLA, which it is not of those of `tf.unique`.
        firsts = tf.gather(tf.math.unsorted_segment_min(tf.range(count), rows, tables[0].shape[0]), rows)
        summed = tf.gather(tf.math.unsorted_segment_sum(gradient.values, firsts, count), firsts)
        own, momentum, velocity = (
            tf.raw_ops.ResourceGather(resource=table.handle, indices=rows, dtype=table.dtype) for table in tables
        )
        summed = ops.cast(summed, own.dtype)
        momentum = self.beta_1 * momentum + (1 - self.beta_1) * summed
        velocity = self.beta_2 * velocity + (1 - self.beta_2) * tf.square(summed)
        corrected = rate * ops.sqrt(1 - ops.power(self.beta_2, age)) / (1 - ops.power(self.beta_1, age))
        own = own * kept - corrected * momentum / (tf.sqrt(velocity) + self.epsilon)
        for table, moved in zip(tables, (own, momentum, velocity), strict=True):
            tf.raw_ops.ResourceScatterUpdate(resource=table.handle, indices=rows, updates=moved)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        """Sums gradients over replicas, where there are several: TensorFlow 2.21 never lets go of a traced sum."""
        if self.gradients_arrive_summed or tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return list(grads_and_vars)
        return super()._all_reduce_sum_gradients(grads_and_vars)

    def _decays(self, index):
        variable = self._trainable_variables[index]
        return len(variable.shape) > 1 and variable.name != "bias" and self._use_weight_decay(variable)

    def _update_model_variables_moving_average(self, trainable_variables):
        """Averages the variables that learn; the rounding of an average would move the frozen ones."""
        super()._update_model_variables_moving_average(trainable_variables)
        for index, average in enumerate(self._model_variables_moving_average if self.use_ema else []):
            learns = self._rate_multipliers[index] > 0
            average.assign(ops.where(learns, average, trainable_variables[index]))

    def finalize_variable_values(self, var_list):
        """Writes the moving averages, where they are kept, back to the variables this optimizer was built on."""
        super().finalize_variable_values(self._trainable_variables)

    def _apply_weight_decay(self, variables):
        """Does nothing: `update_step` decays each variable at its own rate."""

    def _age(self, index):
        """Counts the steps of one variable, this one included; in a plain `fit` all are born at step 0."""
        return ops.cast(self.iterations, "int64") + 1 - ops.maximum(self._start_steps[index], 0)
