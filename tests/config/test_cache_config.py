import pytest

from tl_keras.config import CacheConfig
from tl_keras.errors import InputError


@pytest.mark.parametrize("setting", [{"views": 0}, {"max_gigabytes": 0}, {"max_gigabytes": float("inf")}])
def test_numbers_out_of_range_are_refused(setting):
    with pytest.raises(InputError, match=f"cache.{next(iter(setting))}"):
        CacheConfig(**setting)


def test_a_folder_for_activations_in_memory_is_refused():
    with pytest.raises(InputError, match=r"cache\.folder 'here' has no effect with cache\.storage memory"):
        CacheConfig(storage="memory", folder="here")
