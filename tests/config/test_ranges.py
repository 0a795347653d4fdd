import math
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from tl_keras.config.ranges import check_above_zero, check_least, check_unused
from tl_keras.errors import InputError


def test_the_least_and_nothing_at_all_pass():
    check_least(SimpleNamespace(batch_size=1, image_size=None), "data", {"batch_size": 1, "image_size": 32})


@pytest.mark.parametrize(("prefix", "name"), [("data", "data.batch_size"), ("", "batch_size")])
def test_less_is_refused_by_name(prefix, name):
    with pytest.raises(InputError, match=f"^{name} must be at least 2: got 1"):
        check_least(SimpleNamespace(batch_size=1), prefix, {"batch_size": 2})


def test_numbers_above_zero_and_nothing_at_all_pass():
    for value in (1e-9, 3, None):
        check_above_zero(SimpleNamespace(rate=value), "cache", "rate")


@pytest.mark.parametrize("value", [0, -1.0, math.inf, math.nan])
def test_other_numbers_are_refused_by_name(value):
    with pytest.raises(InputError, match=f"^cache.rate must be above 0: got {value}"):
        check_above_zero(SimpleNamespace(rate=value), "cache", "rate")


@dataclass(frozen=True)
class Settings:
    size: int | None = None
    names: list[str] = field(default_factory=lambda: ["a"])


def test_settings_without_effect_must_have_their_defaults():
    check_unused(Settings(), "text", None, "on images")
    check_unused(Settings(size=3), "text", ["names"], "on images")
    for given, names, name in ((Settings(size=3), None, "size"), (Settings(names=["b"]), ["names"], "names")):
        with pytest.raises(InputError, match=f"^text.{name} has no effect on images: leave it out"):
            check_unused(given, "text", names, "on images")
