import pydoc
import re
from dataclasses import MISSING, FrozenInstanceError, field, fields

import pytest

import tl_keras as tl
from tl_keras import config
from tl_keras.phases import Phase
from tl_keras.system import documented_fields
from tl_keras.system.documented_fields import documented_dataclass, field_meanings

PUBLIC = sorted(
    {tl.Phase, tl.Plateau, *(getattr(config, name) for name in dir(config) if name.endswith("Config"))}, key=str
)


def make_example():
    @documented_dataclass
    class Example:
        """Holds settings.

        More about them.
        """

        path: str
        """Folder of the data."""
        phase: Phase = field(default_factory=lambda: Phase("head"))
        """Phase of training: with a colon."""
        names: list[str] = field(default_factory=lambda: ["a"])
        """Names of columns,
        on two lines."""
        rate: float | None = None

    return Example


EXPECTED = """Holds settings.

More about them.

Attributes:
    path (str, required):
        Folder of the data.
    phase (Phase, default Phase()):
        Phase of training: with a colon.
    names (list[str], default ['a']):
        Names of columns, on two lines.
    rate (float | None, default None):"""


def test_fields_are_listed_with_type_default_and_meaning():
    assert make_example().__doc__ == EXPECTED


def test_the_meanings_that_are_written_are_read_back():
    assert field_meanings(make_example()) == {
        "path": "Folder of the data.",
        "phase": "Phase of training: with a colon.",
        "names": "Names of columns, on two lines.",
    }


def test_a_documented_dataclass_is_frozen():
    example = make_example()("folder")
    with pytest.raises(FrozenInstanceError):
        example.path = "elsewhere"


def test_a_class_without_source_is_listed_without_meanings(monkeypatch):
    monkeypatch.setattr(documented_fields.inspect, "getsource", fail)
    text = make_example().__doc__
    assert "path (str, required):" in text and "Folder" not in text


def fail(_):
    raise OSError("could not get source code")


@pytest.mark.parametrize("dataclass", PUBLIC, ids=lambda dataclass: dataclass.__name__)
def test_help_shows_each_field_of_a_public_dataclass(dataclass):
    text = pydoc.render_doc(dataclass, renderer=pydoc.plaintext)
    entries = re.findall(r"^ \|      (\w+) \((.+), (required|default .+)\):\n((?: \|          .*\n)+)", text, re.M)
    assert [name for name, *_ in entries] == [field.name for field in fields(dataclass)]
    for name, _, default, meaning in entries:
        assert len(re.findall("[A-Za-z]{2,}", meaning)) >= 3, f"{name} needs at least 3 words"
        value = next(field.default for field in fields(dataclass) if field.name == name)
        assert value is MISSING or default == f"default {value!r}"
