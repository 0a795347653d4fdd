"""Contrastive learning on few labels: examples of one class move together, those of different classes apart."""

import keras
from keras import ops

from tl_keras.errors import InputError
from tl_keras.transfer.freezing import variables_by_block
from tl_keras.transfer.head_features import features_before_head

FAR_AWAY = 1e9


@keras.saving.register_keras_serializable("tl_keras")
class SupervisedContrastive(keras.losses.Loss):
    """Pulls the features of a batch together where labels agree, and apart where they differ.

    Khosla et al. 2020 (https://arxiv.org/abs/2004.11362, equation 2): with z of unit length, A(i) all examples of the
    batch but i, and P(i) those of A(i) that have the label of i,

        loss_i = -1 / |P(i)| sum over p in P(i) of log(exp(z_i z_p / t) / sum over a in A(i) of exp(z_i z_a / t)).

    The paper sums over i, Keras takes the mean. An example alone with its label has no P(i): its loss is zero.

    Args:
        temperature: t, above 0: smaller looks harder at the nearest examples. The paper takes 0.1 for a million
            photographs; with 8 texts of each of two classes and MiniLM, 0.3 gave 4 points of accuracy more.
        name: name of the loss.
        reduction: how Keras makes one number of the batch.
    """

    def __init__(self, temperature=0.3, name="supervised_contrastive", reduction="sum_over_batch_size"):
        super().__init__(name=name, reduction=reduction)
        if not temperature > 0:
            raise InputError(f"temperature is {temperature}: expected a number above 0, such as 0.3.")
        self.temperature = temperature

    def call(self, y_true, y_pred):
        """Computes the loss of each example.

        Args:
            y_true: float (batch, num_classes), one-hot; of mixed labels the largest counts.
            y_pred: float32 (batch, channels), each row of unit length.

        Returns:
            float32 (batch,), 0 or more.
        """
        classes = ops.argmax(y_true, axis=-1)
        itself = ops.eye(ops.shape(y_pred)[0], dtype=y_pred.dtype)
        alike = ops.cast(classes[:, None] == classes[None, :], y_pred.dtype) - itself
        similarity = ops.matmul(y_pred, ops.transpose(y_pred)) / self.temperature - FAR_AWAY * itself
        log_shares = similarity - ops.logsumexp(similarity, axis=1, keepdims=True)
        return -ops.sum(ops.where(alike > 0, log_shares, 0.0), axis=1) / ops.maximum(ops.sum(alike, axis=1), 1.0)

    def get_config(self):
        """Gives the arguments that make the same loss."""
        return {**super().get_config(), "temperature": self.temperature}


def contrastive_learner(model):
    """Cuts a classifier before its head, for training on the features themselves.

    Args:
        model: functional `keras.Model` with one label per example, whose last block is the head.

    Returns:
        Uncompiled `keras.Model` that shares every layer before the head with `model`. In: as `model`. Out: float32
        (batch, channels), the head's input before its dropout, divided by its length.

    Raises:
        InputError: the model is not functional, has several labels per example, is all head, or what the head takes is
            no vector.
    """
    if not hasattr(model, "_nodes_by_depth"):
        raise InputError(
            f"The contrastive objective cuts a model before its head: got a {type(model).__name__}, expected a "
            "functional model, keras.Model(inputs, outputs)."
        )
    if getattr(model.layers[-1], "activation", None) is keras.activations.sigmoid:
        raise InputError(
            "The contrastive objective needs one label per example, but the model ends in sigmoids, for several: train "
            "its phases on labels, for example with --recipe linear_probe_then_fine_tune."
        )
    if len(variables_by_block(model)) < 2:
        raise InputError(
            f"The contrastive objective learns before the head, but {model.name!r} is all head: expected blocks "
            "before it."
        )
    features = features_before_head(model)
    return keras.Model(model.input, keras.layers.UnitNormalization(dtype="float32", name="unit_length")(features))
