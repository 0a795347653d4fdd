from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import tl_keras as tl
from tl_keras.errors import InputError
from tl_keras.system.field_types import check_types


@dataclass(frozen=True)
class Example:
    path: str | None = None
    size: int = 3
    rate: float = 0.5
    mode: Literal["on", "off"] = "on"
    flag: bool = False
    blocks: str | list[str] = "all"

    def __post_init__(self):
        check_types(self)


@pytest.mark.parametrize(
    "values", [{"size": np.int64(4)}, {"rate": 1}, {"rate": np.float32(0.5)}, {"blocks": ["a", "b"]}, {"flag": True}]
)
def test_equivalent_types_are_accepted(values):
    name, value = next(iter(values.items()))
    assert getattr(Example(**values), name) == value


def test_a_path_becomes_text():
    assert Example(path=Path("data") / "photos").path == str(Path("data") / "photos")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": "3"}, "Example.size: got '3', expected int."),
        ({"size": 2.5}, "Example.size: got 2.5, expected int."),
        ({"size": True}, "Example.size: got True, expected int."),
        ({"rate": "fast"}, "Example.rate: got 'fast', expected float."),
        ({"mode": "onn"}, "Unknown Example.mode 'onn': did you mean 'on'?"),
        ({"mode": 1}, "Example.mode: got 1, expected 'on' or 'off'."),
        ({"flag": "yes"}, "Example.flag: got 'yes', expected bool."),
        ({"blocks": [1]}, "Example.blocks: got [1], expected str or a list of str."),
        ({"path": 7}, "Example.path: got 7, expected str."),
    ],
)
def test_a_wrong_type_is_refused_in_a_sentence(values, message):
    with pytest.raises(InputError) as raised:
        Example(**values)
    assert str(raised.value).startswith(message)


PARTS = ("data", "text", "detection", "model", "cache", "adaptation", "optimizer")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", ["x", {"path": "x"}, None])
def test_a_part_of_a_configuration_of_a_wrong_type_is_refused(part, value):
    with pytest.raises(InputError, match=f"^RunConfig.{part}: got .*, expected .*Config; write {part}=tl."):
        tl.RunConfig(**{part: value})


@pytest.mark.parametrize("phases", ["head", [{"train": "head"}], tl.Phase("head")])
def test_phases_of_a_wrong_type_are_refused(phases):
    with pytest.raises(InputError, match=r"^RunConfig.phases: .* expected a list of Phase; write phases=\[tl.Phase"):
        tl.RunConfig(phases=phases)
