import keras
import numpy as np
import pytest
import tensorflow as tf

import tl_keras as tl
from tests.adaptation.domains import classifier, images, one_hot
from tl_keras.adaptation import (
    AdaptedClassifier,
    DeepCoral,
    DomainAdversarial,
    MaximumMeanDiscrepancy,
    MinimumClassConfusion,
    SelfTraining,
)
from tl_keras.transfer import find_cuts_of_phases, suffix_model

SOURCE, LABELS, TARGET = images(16, 0), one_hot(16, 1), images(16, 2, shift=1.0)
METHODS = {
    "dann": lambda: DomainAdversarial(8, ramp_steps=5),
    "deep_coral": DeepCoral,
    "mmd": MaximumMeanDiscrepancy,
    "mcc": MinimumClassConfusion,
    "self_training": lambda: SelfTraining(0.0),
}


def pairs():
    both = tf.data.Dataset.from_tensor_slices(({"source": SOURCE, "target": TARGET}, LABELS))
    return both.batch(8, drop_remainder=True)


@pytest.mark.parametrize("name", METHODS)
def test_fit_lowers_the_sum_of_both_losses(name):
    model = classifier()
    adapted = AdaptedClassifier(model, METHODS[name]())
    adapted.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy", metrics=["accuracy"])
    # Keras would trace the step once more to create them.
    adapted.optimizer.build(adapted.trainable_variables)
    before, loss = [np.asarray(weight) for weight in model.trainable_variables], adapted.evaluate(pairs(), verbose=0)[0]
    history = adapted.fit(pairs(), epochs=8, validation_data=(SOURCE, LABELS), verbose=0).history
    assert np.isfinite(history["loss"]).all() and "val_accuracy" in history
    assert all(np.any(old != weight) for old, weight in zip(before, model.trainable_variables, strict=True))
    if name != "dann":
        assert adapted.evaluate(pairs(), verbose=0)[0] < loss


def test_the_loss_is_the_label_loss_plus_the_weighted_method_loss():
    losses = {}
    for weight in (0.0, 1.0, 3.0):
        adapted = AdaptedClassifier(classifier(), DeepCoral(), weight)
        adapted.compile("sgd", "categorical_crossentropy")
        # Evaluates one batch without an update.
        losses[weight] = adapted.evaluate({"source": SOURCE, "target": TARGET}, LABELS, batch_size=16, verbose=0)
    assert losses[0.0] < losses[1.0]
    assert np.isclose(losses[3.0] - losses[0.0], 3 * (losses[1.0] - losses[0.0]), rtol=1e-3)


def test_mixed_precision_and_xla_work():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        adapted = AdaptedClassifier(classifier(), MaximumMeanDiscrepancy())
        adapted.compile("adam", "categorical_crossentropy", jit_compile=True)
        history = adapted.fit(pairs(), epochs=2, verbose=0).history
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert np.isfinite(history["loss"]).all()


def test_frozen_blocks_do_not_change():
    model = classifier()
    adapted = AdaptedClassifier(model, DeepCoral())
    tl.freeze_to(model, "head")
    adapted.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy")
    before = {weight.path: np.asarray(weight) for weight in model.weights}
    adapted.fit(pairs(), verbose=0)
    moved = {weight.path.split(".")[0] for weight in model.weights if np.any(before[weight.path] != weight)}
    assert moved == {"head"}


def test_training_on_cached_activations_equals_training_on_images():
    ends = []
    for from_cut in (False, True):
        model = classifier()
        tl.freeze_to(model, "head")
        [cut] = find_cuts_of_phases(model, [tl.Phase("head")])
        learner, source, target = model, SOURCE, TARGET
        if from_cut:
            prefix = keras.Model(model.input, cut)
            learner = suffix_model(model, cut)
            source, target = (prefix.predict(values, verbose=0) for values in (source, target))
        adapted = AdaptedClassifier(learner, MinimumClassConfusion())
        model.get_layer("head.dropout").rate = 0.0
        adapted.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy")
        data = tf.data.Dataset.from_tensor_slices(({"source": source, "target": target}, LABELS)).batch(8)
        adapted.fit(data, epochs=3, verbose=0)
        ends.append(model.get_layer("head.logits").get_weights())
    for one, other in zip(*ends, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
