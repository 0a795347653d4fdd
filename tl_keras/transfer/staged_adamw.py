"""AdamW for staged training: built once over all variables, with a rate multiplier for each."""

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable("tl_keras")
class StagedAdamW(keras.optimizers.AdamW):
    """Optimizes with AdamW; each variable has its own learning rate and its own first step.

    Loshchilov and Hutter 2019 (https://arxiv.org/abs/1711.05101), algorithm 2, with three additions for staged
    unfreezing and one for texts:

    - Each variable has a rate multiplier. It scales the *update*, because Adam is nearly invariant to the scale of the
      gradient. Weight decay is scaled as well.
    - Each variable has a start step, from which Adam's bias correction counts. Counted from the start of the run, the
      first twenty updates of a variable unfrozen late would be 2.5 to 5 times too large.
    - The moving averages of `use_ema` are written back to the variables they belong to. Keras 3.15.1 pairs them with
      the variables that are trainable at the end of `fit`. The average of a frozen variable is the variable itself.
    - A sparse gradient of an embedding table updates and decays only the rows of the words in the batch, as PyTorch's
      SparseAdam does. AdamW would also move all other rows by their momentum and pass over the whole table in every
      step. Gradients of a word that occurs twice are summed before they are squared, which Keras 3.15.1 does not do.

    Weight decay applies to kernels and other matrices only, not to biases, scales and offsets, nor to variables named
    by `exclude_from_weight_decay`.

    The arguments are those of `keras.optimizers.AdamW`:

    Args:
        learning_rate: number above 0, default 0.001. `ProgressiveUnfreezing` sets it in every step, so it cannot be a
            schedule there.
        weight_decay: share of a weight subtracted per step, relative to the learning rate; 0 or more, default 0.004.
        beta_1: decay of the first moment, 0 to 1, default 0.9.
        beta_2: decay of the second moment, 0 to 1, default 0.999.
        epsilon: term that stabilizes the division, above 0, default 1e-7.
        amsgrad: must be False (default); the AMSGrad variant is not supported.
        clipnorm: maximum norm of each gradient; None (default) does not clip.
        clipvalue: maximum absolute value of a gradient element; None (default) does not clip.
        global_clipnorm: maximum norm of all gradients together; None (default) does not clip.
        use_ema: whether to keep moving averages of the weights and write them back at the end, default False.
        ema_momentum: decay of these averages per step, 0 to 1, default 0.99.
        ema_overwrite_frequency: steps after which the averages overwrite the weights; None (default): at the end.
        loss_scale_factor: factor by which the loss is scaled and the gradients divided; None (default): no scaling.
        gradient_accumulation_steps: number of batches whose gradients make one step, at least 2; None (default): 1.
        name: name of the optimizer; None (default) derives it from the class.
    """

    gradients_arrive_summed = False
    """True if the train step sums the gradients over the replicas before clipping."""
    _rates_and_ages = None

    def build(self, variables):
        """Creates moments, multipliers (all 1) and start steps (unset) for a list of `keras.Variable`."""
        if self.built:
            return
        if self.amsgrad:
            raise ValueError("StagedAdamW has no AMSGrad variant: got amsgrad=True, expected False.")
        super().build(variables)
        shape = (len(variables),)
        self._rate_multipliers = self.add_variable(shape, "ones", dtype="float32", name="rate_multipliers")
        self._start_steps = self.add_variable(shape, keras.initializers.Constant(-1), dtype="int64", name="birth_steps")

    def start_variables(self, multipliers):
        """Sets the rate multipliers; a variable trained for the first time starts at the current step.

        Args:
            multipliers: float32 array with one number >= 0 per variable the optimizer was built on; 0 means frozen.
        """
        multipliers = ops.convert_to_tensor(multipliers, "float32")
        starting = ops.logical_and(self._start_steps < 0, multipliers > 0)
        now = ops.cast(self.iterations, "int64")
        self._start_steps.assign(ops.where(starting, now, self._start_steps))
        self._rate_multipliers.assign(multipliers)

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        """Computes the rates and the ages of all variables at once: one by one they take most of a trace."""
        ages = ops.cast(self.iterations, "int64") + 1 - ops.maximum(self._start_steps, 0)
        rates = ops.cast(learning_rate, "float32") * self._rate_multipliers
        self._rates_and_ages = tf.unstack(rates), tf.unstack(ops.cast(ages, "float32"))
        try:
            super()._backend_update_step(grads, trainable_variables, learning_rate)
        finally:
            # They belong to one graph.
            self._rates_and_ages = None

    def update_step(self, gradient, variable, learning_rate):
        """Applies one AdamW step to a variable, with its own rate and bias correction."""
        index = self._get_variable_index(variable)
        own, momentum, velocity = (
            variables[index].value for variables in (self._trainable_variables, self._momentums, self._velocities)
        )
        dtype = own.dtype
        # In a plain `fit` all variables start at step 0.
        rate, age = (tf.cast(values[index], dtype) for values in self._rates_and_ages)
        decay = self.weight_decay if self.weight_decay and self._decays(index) else 0.0
        if isinstance(gradient, tf.IndexedSlices):
            self._update_rows(gradient, (own, momentum, velocity), rate, age, 1 - rate * decay)
            return
        if decay:
            own.assign(tf.multiply(own, 1 - rate * decay))
        # The fused kernel passes over memory once; separate operations would do so a dozen times.
        tf.raw_ops.ResourceApplyAdam(
            var=own.handle,
            m=momentum.handle,
            v=velocity.handle,
            beta1_power=tf.pow(tf.constant(self.beta_1, dtype), age),
            beta2_power=tf.pow(tf.constant(self.beta_2, dtype), age),
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, dtype),
        )

    def _update_rows(self, gradient, tables, rate, age, shrinkage):
        """Updates only the rows of a sparse gradient; `shrinkage` is the factor of weight decay."""
        rows, count = gradient.indices, tf.size(gradient.indices)
        # A repeated row is written several times with the same value. Unlike the result of `tf.unique`, the number of
        # rows is then static for XLA.
        firsts = tf.gather(tf.math.unsorted_segment_min(tf.range(count), rows, tables[0].shape[0]), rows)
        summed = tf.gather(tf.math.unsorted_segment_sum(gradient.values, firsts, count), firsts)
        own, momentum, velocity = (
            tf.raw_ops.ResourceGather(resource=table.handle, indices=rows, dtype=table.dtype) for table in tables
        )
        summed = ops.cast(summed, own.dtype)
        momentum = self.beta_1 * momentum + (1 - self.beta_1) * summed
        velocity = self.beta_2 * velocity + (1 - self.beta_2) * tf.square(summed)
        corrected = rate * ops.sqrt(1 - ops.power(self.beta_2, age)) / (1 - ops.power(self.beta_1, age))
        own = own * shrinkage - corrected * momentum / (tf.sqrt(velocity) + self.epsilon)
        for table, values in zip(tables, (own, momentum, velocity), strict=True):
            tf.raw_ops.ResourceScatterUpdate(resource=table.handle, indices=rows, updates=values)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        """Sums gradients over several replicas; skipped for one, because TensorFlow 2.21 never frees a traced sum."""
        if self.gradients_arrive_summed or tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return list(grads_and_vars)
        return super()._all_reduce_sum_gradients(grads_and_vars)

    def _decays(self, index):
        variable = self._trainable_variables[index]
        return len(variable.shape) > 1 and variable.name != "bias" and self._use_weight_decay(variable)

    def _update_model_variables_moving_average(self, trainable_variables):
        """Averages only the variables being trained; the rounding of an average would move the frozen ones."""
        super()._update_model_variables_moving_average(trainable_variables)
        for index, average in enumerate(self._model_variables_moving_average if self.use_ema else []):
            is_trained = self._rate_multipliers[index] > 0
            average.assign(ops.where(is_trained, average, trainable_variables[index]))

    def finalize_variable_values(self, var_list):
        """Writes the moving averages of `use_ema` back to the variables this optimizer was built on."""
        super().finalize_variable_values(self._trainable_variables)

    def _apply_weight_decay(self, variables):
        """Does nothing: `update_step` decays each variable at its own rate."""
