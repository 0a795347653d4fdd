from typing import get_args, get_type_hints

import pytest

from tl_keras.config import ModelConfig
from tl_keras.errors import InputError
from tl_keras.models.head_options import HEAD_BLOCKS, IMAGE_POOLINGS, TEXT_POOLINGS, check_head_blocks


def test_the_configuration_accepts_the_poolings_of_images_and_texts():
    [choices, _] = get_args(get_type_hints(ModelConfig)["pooling"])
    assert set(get_args(choices)) == {*IMAGE_POOLINGS, *TEXT_POOLINGS}


@pytest.mark.parametrize("head_blocks", [*HEAD_BLOCKS, ["block5"], ("block4", "block5")])
def test_choices_of_blocks_and_lists_are_accepted(head_blocks):
    check_head_blocks(head_blocks)


@pytest.mark.parametrize("head_blocks", ["top", "", [], ()])
def test_a_choice_of_another_form_is_refused(head_blocks):
    with pytest.raises(InputError, match="expected last, all, or a list of at least one block"):
        check_head_blocks(head_blocks)
