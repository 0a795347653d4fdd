import keras
import numpy as np
import tensorflow as tf

from tests.adaptation.domains import NUM_CLASSES, classifier, images, one_hot
from tl_keras.adaptation import collect_outputs, make_adaptation_optimizer, pair_domains, with_features


def dataset(inputs, labels, batch_size):
    return tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(batch_size)


def test_domains_are_paired_without_target_labels():
    source, target = images(6, 0), images(4, 1)
    pairs = list(pair_domains(dataset(source, one_hot(6, 0), 2), dataset(target, one_hot(4, 1), 2)))
    assert len(pairs) == 2
    inputs, labels = pairs[1]
    np.testing.assert_array_equal(inputs["source"], source[2:4])
    np.testing.assert_array_equal(inputs["target"], target[2:4])
    np.testing.assert_array_equal(labels, one_hot(6, 0)[2:4])
    assert tf.nest.flatten(pairs[0])[0].shape[0] == 2 and len(tf.nest.flatten(pairs[0])) == 3


def test_outputs_come_in_the_order_of_the_batches():
    model, inputs, labels = classifier(), images(7, 0), one_hot(7, 1)
    outputs, classes = collect_outputs(model, dataset(inputs, labels, 3))
    np.testing.assert_allclose(outputs.probabilities, model.predict(inputs, verbose=0), atol=1e-6)
    pooled = keras.Model(model.input, model.get_layer("head.pool").output).predict(inputs, verbose=0)
    np.testing.assert_allclose(outputs.features, pooled, atol=1e-6)
    np.testing.assert_array_equal(classes, labels.argmax(axis=1))


def test_features_and_probabilities_are_one_output():
    joint = with_features(classifier())
    assert joint.output_shape == (None, 6 + NUM_CLASSES)


def test_the_rate_rises_for_a_tenth_of_the_steps_and_falls_to_zero():
    optimizer = make_adaptation_optimizer(1e-3, 100, weight_decay=0.01, clip_norm=1.0)
    rate = optimizer._learning_rate
    assert float(rate(0)) == 0 and np.isclose(float(rate(10)), 1e-3)
    assert float(rate(5)) < float(rate(10)) > float(rate(60)) > float(rate(99))
    assert np.isclose(float(rate(100)), 0, atol=1e-7)
    single = make_adaptation_optimizer(1e-3, 1, weight_decay=0.0)._learning_rate
    assert np.isclose(float(single(0)), 1e-3)
    assert optimizer.weight_decay == 0.01 and optimizer.global_clipnorm == 1.0
