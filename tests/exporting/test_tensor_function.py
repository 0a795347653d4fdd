import numpy as np
import tensorflow as tf

from tests.exporting.tiny_sources import IMAGES, detector, image_model, text_model
from tl_keras.exporting.tensor_function import tensor_function
from tl_keras.models.texts.encoder_inputs import is_text_model


def test_images_in_and_probabilities_out_without_variables():
    function = tensor_function(image_model())
    assert (function.inputs, function.outputs) == (("images",), ("probabilities",))
    frozen = function.frozen()
    assert not frozen.variables
    np.testing.assert_allclose(frozen(tf.constant(IMAGES["images"]))[0], image_model()(IMAGES["images"]), atol=1e-6)


def test_names_follow_the_order_of_the_tensors(tmp_path):
    function = tensor_function(text_model(tmp_path))
    assert function.inputs == ("padding_mask", "segment_ids", "token_ids")
    assert [tensor.name.split(":")[0] for tensor in function.frozen().inputs] == list(function.inputs)
    assert tensor_function(detector("faster_rcnn")).outputs == ("boxes", "labels", "scores")


def test_text_models_take_strings(tmp_path):
    assert is_text_model(text_model(tmp_path)) and not is_text_model(image_model())
