"""Checks that XLA can compile every model type with static shapes, as a TPU requires; nothing is run on a TPU.

In the lowered XLA program, every shape must be a number and every operation must be supported by XLA. Whether the TPU's
own compiler accepts it can only be tested on a TPU.
"""

import re

import keras
import pytest
import tensorflow as tf

from tests.models.detection.tiny_detectors import DETECTORS, build_tiny, rectangles
from tests.models.tiny_encoders import FAMILIES, save_preset
from tl_keras import models
from tl_keras.models.images.backbones import BACKBONES
from tl_keras.transfer import StagedAdamW

pytestmark = pytest.mark.slow
EXAMPLES, LENGTH = 2, 8


def lowered(step, *arrays):
    """Returns the XLA program of a function as text."""
    tensors = tf.nest.map_structure(tf.constant, arrays)
    compiled = tf.function(step, jit_compile=True)
    program = compiled.experimental_get_compiler_ir(*tensors)(stage="hlo")
    assert compiled.experimental_get_tracing_count() == 1
    return program


def assert_static(model, inputs, targets):
    model.optimizer.build(model.trainable_variables)
    model._symbolic_build(data_batch=(inputs, targets))
    for program in (
        lowered(lambda x, y: model.train_step((x, y)), inputs, targets),
        lowered(lambda x: model.predict_step((x,)), inputs),
    ):
        assert "HloModule" in program
        # A bounded dynamic dimension is written `<=8`, an unbounded one `?`.
        assert not re.search(r"\w\d+\[[^]]*(<=|[?])", program)
        # A TPU supports neither custom calls of the CPU nor calls to the host.
        assert set(re.findall(r'custom_call_target="([^"]*)"', program)) <= {"TopK"}
        assert not re.search(r" (infeed|outfeed|send|recv)\(", program)


@pytest.mark.parametrize("name", BACKBONES)
def test_image_classifiers_have_static_shapes(name):
    size = BACKBONES[name].minimum_size
    model = models.build_image_classifier(name, 3, weights="none", image_size=size)
    models.compile_classifier(model, StagedAdamW())
    assert_static(model, tf.zeros((EXAMPLES, size, size, 3), tf.uint8), tf.one_hot([0, 1], 3))


@pytest.mark.parametrize("family", FAMILIES)
def test_text_classifiers_have_static_shapes(family, tmp_path):
    save_preset(tmp_path, family)
    model = models.build_text_classifier(str(tmp_path), 2)
    models.compile_classifier(model, StagedAdamW())
    tokens = {name: tf.ones((EXAMPLES, LENGTH), tf.int32) for name in model.input}
    assert_static(model, tokens, tf.one_hot([0, 1], 2))


@pytest.mark.parametrize("name", DETECTORS)
def test_detectors_have_static_shapes(name):
    model = build_tiny(name)
    model.compile(keras.optimizers.Adam(1e-3))
    assert_static(model, *tf.nest.map_structure(tf.constant, rectangles(EXAMPLES)))
