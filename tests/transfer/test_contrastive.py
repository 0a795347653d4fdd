import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.transfer.tiny_models import (
    IMAGES,
    LABELS,
    blocks_model,
    compiled,
    nested_model,
    same_bits,
    sequential_model,
    values,
)
from tl_keras.errors import InputError
from tl_keras.phases import Phase
from tl_keras.transfer.activations.cuts import find_phase_cut, suffix_model
from tl_keras.transfer.contrastive import SupervisedContrastive, contrastive_learner
from tl_keras.transfer.freezing import block_names, variables_by_block
from tl_keras.transfer.staged_adamw import StagedAdamW
from tl_keras.transfer.unfreezing import ProgressiveUnfreezing

ONE_HOT = np.eye(2, dtype="float32")[LABELS]


def features_and_labels(labels, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(len(labels), 5))
    one_hot = np.eye(max(labels) + 1, dtype="float32")[labels]
    return one_hot, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("float32")


def loss_of_the_paper(labels, vectors, temperature):
    """Computes Khosla et al. 2020, equation 2, example by example, in double precision."""
    losses = []
    for i in range(len(labels)):
        others = [a for a in range(len(labels)) if a != i]
        positives = [p for p in others if labels[p] == labels[i]]
        shares = np.exp(vectors.astype("float64") @ vectors[i] / temperature)
        terms = [np.log(shares[p] / shares[others].sum()) for p in positives]
        losses.append(-np.mean(terms) if terms else 0.0)
    return np.array(losses)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
@pytest.mark.parametrize("labels", [[0, 1, 0, 2, 1, 0, 3], [0, 0, 0], [1, 0], [0, 0]])
def test_the_loss_equals_that_of_the_paper(labels, temperature):
    one_hot, vectors = features_and_labels(labels)
    expected = loss_of_the_paper(labels, vectors, temperature)
    loss = SupervisedContrastive(temperature)
    assert loss.call(one_hot, tf.constant(vectors)).numpy() == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert float(loss(one_hot, vectors)) == pytest.approx(expected.mean(), rel=1e-4, abs=1e-5)


def test_the_gradient_equals_the_numerical_one():
    labels = [0, 1, 0, 2, 1]
    one_hot, vectors = features_and_labels(labels)
    watched = tf.Variable(vectors)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(SupervisedContrastive(0.5).call(one_hot, watched.value()))
    gradient, numerical = tape.gradient(total, watched).numpy(), np.zeros_like(vectors)
    for place in np.ndindex(vectors.shape):
        step = np.zeros(vectors.shape)
        step[place] = 1e-4
        up, down = (loss_of_the_paper(labels, vectors + sign * step, 0.5).sum() for sign in (1, -1))
        numerical[place] = (up - down) / 2e-4
    np.testing.assert_allclose(gradient, numerical, atol=1e-3)


def test_xla_gives_the_same_loss():
    one_hot, vectors = features_and_labels([0, 1, 0, 2, 1])
    plain = SupervisedContrastive()
    compiled_loss = tf.function(plain, jit_compile=True, input_signature=[tf.TensorSpec((None, None))] * 2)
    assert float(compiled_loss(one_hot, vectors)) == pytest.approx(float(plain(one_hot, vectors)), rel=1e-5)


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0]])
def test_a_batch_without_two_examples_of_a_label_has_no_gradient(labels):
    one_hot, vectors = features_and_labels(labels)
    watched = tf.Variable(vectors)
    with tf.GradientTape() as tape:
        loss = SupervisedContrastive()(one_hot, watched.value())
    assert float(loss) == 0.0
    assert not np.any(tape.gradient(loss, watched).numpy())


def test_the_largest_entry_of_mixed_labels_counts():
    labels = [0, 1, 0, 1]
    one_hot, vectors = features_and_labels(labels)
    mixed = 0.6 * one_hot + 0.4 * one_hot[::-1]
    loss = SupervisedContrastive()
    np.testing.assert_array_equal(loss.call(mixed, tf.constant(vectors)), loss.call(one_hot, tf.constant(vectors)))


def test_the_loss_is_restored_from_its_config():
    assert keras.losses.get(keras.losses.serialize(SupervisedContrastive(0.3))).temperature == 0.3


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_an_invalid_temperature_is_refused(temperature):
    with pytest.raises(InputError, match="expected a number above 0"):
        SupervisedContrastive(temperature)


def classifier(activation="softmax", hidden_units=None):
    inputs = layers.Input((3,), name="numbers")
    x = pooled = layers.Dense(4, name="block1.dense")(inputs)
    x = layers.Dropout(0.5, name="head.dropout")(x)
    if hidden_units:
        x = layers.Dense(hidden_units, name="head.hidden")(x)
    x = layers.Dense(2, name="head.logits")(x)
    return keras.Model(inputs, layers.Activation(activation, name="head.probabilities")(x)), pooled


@pytest.mark.parametrize("hidden_units", [None, 6])
def test_the_learner_outputs_unit_vectors_before_the_head(hidden_units):
    model, pooled = classifier(hidden_units=hidden_units)
    learner, numbers = contrastive_learner(model), np.ones((2, 3), "float32")
    expected = keras.Model(model.input, pooled)(numbers).numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    # training=True would activate the head's dropout if it were included.
    np.testing.assert_allclose(learner(numbers, training=True), expected, rtol=1e-6)
    assert [id(v) for v in learner.weights] == [id(v) for v in model.get_layer("block1.dense").weights]


@pytest.mark.parametrize("build", [blocks_model, nested_model])
def test_the_head_of_any_functional_model_is_its_last_block(build):
    model = build()
    learner, blocks = contrastive_learner(model), variables_by_block(model)
    assert set(map(id, learner.weights)) == {id(v) for name in list(blocks)[:-1] for v in blocks[name]}
    np.testing.assert_allclose(np.linalg.norm(learner(IMAGES), axis=1), 1.0, rtol=1e-5)


def test_the_learner_can_start_at_a_cut():
    model = blocks_model()
    suffix = suffix_model(model, find_phase_cut(model, ["block2", "head"]))
    learner = contrastive_learner(suffix)
    assert {v.path for v in learner.weights} == {v.path for v in variables_by_block(model)["block2"]}


def test_a_learner_that_starts_at_a_cut_excludes_the_dropout_of_the_head():
    inputs = layers.Input((3,))
    cut = layers.Dense(4, name="block1.dense")(inputs)
    x = layers.Dense(4, kernel_initializer="identity", name="block2.dense")(cut)
    x = layers.Dropout(0.5, name="head.dropout")(x)
    learner = contrastive_learner(suffix_model(keras.Model(inputs, layers.Dense(2, name="head.logits")(x)), cut))
    numbers = np.array([[3.0, 4.0, 0.0, 0.0]], "float32")
    np.testing.assert_allclose(learner(numbers, training=True), [[0.6, 0.8, 0.0, 0.0]], rtol=1e-6)


def head_only():
    inputs = layers.Input((3,))
    return keras.Model(inputs, layers.Dense(2, name="head.logits")(inputs))


def map_before_head():
    inputs = layers.Input((4, 3))
    x = layers.Dense(2, name="block1.dense")(inputs)
    return keras.Model(inputs, layers.Dense(2, name="head.logits")(x))


def two_before_head():
    inputs = layers.Input((3,))
    branches = [layers.Dense(2, name=f"block{number}.dense")(inputs) for number in (1, 2)]
    return keras.Model(inputs, layers.Attention(use_scale=True, name="head.attention")(branches))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: classifier("sigmoid")[0], "needs one label per example"),
        (head_only, "trains blocks before the head, but"),
        (map_before_head, r"takes \(None, 4, 2\)"),
        (two_before_head, r"takes \(None, 2\), \(None, 2\)"),
        (sequential_model, "needs a functional model.*got a Sequential"),
    ],
)
def test_models_without_features_to_compare_are_refused(build, message):
    with pytest.raises(InputError, match=message):
        contrastive_learner(build())


def test_a_contrastive_phase_trains_everything_before_the_head():
    """Trains the learner, then the whole model, with one optimizer and one callback, as a run does."""
    model = compiled(blocks_model(), StagedAdamW())
    phases = [
        Phase(["block1", "block2"], epochs=6, learning_rate=1e-2, block_decay=0.5, objective="contrastive"),
        Phase("head", epochs=2, learning_rate=1e-2),
    ]
    staging = ProgressiveUnfreezing(phases, whole_model=model)
    staging.prepare(model)
    learner, blocks = contrastive_learner(model), variables_by_block(model)
    learner.compile(model.optimizer, SupervisedContrastive())
    before = {block: values(variables) for block, variables in blocks.items()}
    history = learner.fit(
        IMAGES, ONE_HOT, batch_size=16, epochs=6, validation_data=(IMAGES, ONE_HOT), callbacks=[staging], verbose=0
    ).history
    after = {block: values(variables) for block, variables in blocks.items()}
    assert history.keys() == {"loss", "val_loss"}
    assert history["val_loss"][-1] < history["val_loss"][0]
    assert all(map(same_bits, before["head"], after["head"]))
    assert not same_bits(before["block1"][0], after["block1"][0])
    assert staging.plan[0]["learning_rates"] == {"block1": 5e-3, "block2": 1e-2}

    model.fit(IMAGES, LABELS, initial_epoch=6, epochs=8, callbacks=[staging], verbose=0)
    assert staging.state["ends"] == [6, 8]
    assert [record["audit"]["moved"] > 0 for record in staging.plan] == [True, True]
    assert block_names(model) == ["block1", "block2", "head"]
    assert all(map(same_bits, after["block1"] + after["block2"], values(blocks["block1"] + blocks["block2"])))
    assert not same_bits(after["head"][0], values(blocks["head"])[0])
