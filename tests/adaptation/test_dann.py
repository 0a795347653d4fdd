import numpy as np
import tensorflow as tf

from tests.adaptation.domains import SOURCE, TARGET, outputs
from tl_keras.adaptation import DomainAdversarial
from tl_keras.adaptation.dann import reverse_gradient


def softplus(values):
    return np.log1p(np.exp(values))


def test_the_loss_is_the_cross_entropy_of_the_domain():
    method = DomainAdversarial(4)
    loss = float(method(SOURCE, TARGET))
    logits = [method.logit(method.hidden[1](method.hidden[0](part.features))).numpy() for part in (SOURCE, TARGET)]
    assert np.isclose(loss, (softplus(-logits[0]).mean() + softplus(logits[1]).mean()) / 2)


def test_gradient_reversal_changes_only_the_gradient():
    values = tf.Variable([[1.0, -2.0]])
    with tf.GradientTape() as tape:
        reversed_values = reverse_gradient(values.value(), tf.constant(0.3))
        loss = tf.reduce_sum(reversed_values**2)
    np.testing.assert_allclose(reversed_values, values, rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(loss, values), -0.3 * 2 * values.numpy(), rtol=1e-5)


def test_the_discriminator_lowers_the_loss_and_the_features_raise_it():
    method = DomainAdversarial(8, ramp_steps=1)
    method(SOURCE, TARGET, training=True)
    features, before = tf.Variable(TARGET.features), float(method(SOURCE, TARGET))
    with tf.GradientTape() as tape:
        loss = method(SOURCE, TARGET._replace(features=features.value()))
    weights = [weight.value for weight in method.trainable_variables]
    *weight_gradients, feature_gradient = tape.gradient(loss, [*weights, features])
    moved = TARGET._replace(features=TARGET.features - 0.01 * feature_gradient.numpy())
    assert float(method(SOURCE, moved)) > before
    for variable, gradient in zip(weights, weight_gradients, strict=True):
        variable.assign_sub(0.01 * gradient)
    assert float(method(SOURCE, TARGET)) < before


def test_the_reversed_gradient_grows_from_zero():
    method = DomainAdversarial(8, ramp_steps=100)

    def gradient():
        features = tf.Variable(TARGET.features)
        with tf.GradientTape() as tape:
            loss = method(SOURCE, TARGET._replace(features=features.value()), training=True)
        return float(tf.norm(tape.gradient(loss, features)))

    sizes = [gradient() for _ in range(60)]
    assert sizes[0] == 0 and sizes[5] < sizes[20] < sizes[59]
    assert float(method.steps) == 60


def test_domains_may_have_different_sizes():
    assert np.isfinite(float(DomainAdversarial(4)(outputs(3, 0), outputs(9, 1))))
