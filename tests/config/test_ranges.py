import math
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from tl_keras.config.ranges import check_above_zero, check_minimum, check_unused
from tl_keras.errors import InputError


def test_the_minimum_and_none_are_accepted():
    check_minimum(SimpleNamespace(batch_size=1, image_size=None), "data.", batch_size=1, image_size=32)


@pytest.mark.parametrize(("prefix", "name"), [("data.", "data.batch_size"), ("", "batch_size")])
def test_numbers_below_the_minimum_are_refused_by_name(prefix, name):
    with pytest.raises(InputError, match=f"^{name} must be at least 2: got 1"):
        check_minimum(SimpleNamespace(batch_size=1), prefix, batch_size=2)


def test_numbers_above_zero_and_none_are_accepted():
    for value in (1e-9, 3, None):
        check_above_zero(SimpleNamespace(rate=value), "cache.", "rate")


@pytest.mark.parametrize("value", [0, -1.0, math.inf, math.nan])
def test_numbers_that_are_not_above_zero_are_refused_by_name(value):
    with pytest.raises(InputError, match=f"^cache.rate must be above 0: got {value}"):
        check_above_zero(SimpleNamespace(rate=value), "cache.", "rate")


@dataclass(frozen=True)
class Settings:
    size: int | None = None
    names: list[str] = field(default_factory=lambda: ["a"])


def test_settings_without_effect_must_have_their_default():
    check_unused(Settings(), "text.", None, "on images")
    check_unused(Settings(size=3), "text.", ["names"], "on images")
    for settings, names, name in ((Settings(size=3), None, "size"), (Settings(names=["b"]), ["names"], "names")):
        with pytest.raises(InputError, match=f"^text.{name} has no effect on images: leave it out"):
            check_unused(settings, "text.", names, "on images")
