from typing import get_args, get_type_hints

from tl_keras.config import ModelConfig
from tl_keras.models.head_options import IMAGE_POOLINGS, TEXT_POOLINGS


def test_the_configuration_accepts_the_poolings_of_images_and_texts():
    [choices, _] = get_args(get_type_hints(ModelConfig)["pooling"])
    assert set(get_args(choices)) == {*IMAGE_POOLINGS, *TEXT_POOLINGS}
