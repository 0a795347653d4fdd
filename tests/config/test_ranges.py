from types import SimpleNamespace

import pytest

from tl_keras.config.ranges import check_least
from tl_keras.errors import InputError


def test_the_least_and_nothing_at_all_pass():
    check_least(SimpleNamespace(batch_size=1, image_size=None), "data", {"batch_size": 1, "image_size": 32})


@pytest.mark.parametrize(("prefix", "name"), [("data", "data.batch_size"), ("", "batch_size")])
def test_less_is_refused_by_name(prefix, name):
    with pytest.raises(InputError, match=f"^{name} must be at least 2: got 1"):
        check_least(SimpleNamespace(batch_size=1), prefix, {"batch_size": 2})
