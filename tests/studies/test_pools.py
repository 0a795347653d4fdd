import pytest

from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.studies.pools import find_pool


def test_more_examples_than_the_pool_has_are_refused(image_folder, tmp_path):
    config, pool = parse(["--data.image_size", "32"]), str(image_folder / "red")
    assert len(find_pool(config, pool, 12).records) == 12
    with pytest.raises(InputError, match="--count 13 is more than the 12 examples of the pool .*: give --count 12 or"):
        find_pool(config, pool, 13)
    with pytest.raises(InputError, match="No pool found"):
        find_pool(config, tmp_path / "none", 1)
