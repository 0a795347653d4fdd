"""The structure of the package: import contracts, room sizes, public names, and which imports load TensorFlow."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

import tl_keras as tl
from tl_keras.__main__ import VERBS

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = ROOT / "tl_keras", ROOT / "tests"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})
MAX_ROOT_MODULES, MAX_FOLDER_MODULES = 14, 20
WITHOUT_TENSORFLOW = [
    "tl_keras",
    "tl_keras.train",
    "tl_keras.predict",
    "tl_keras.evaluate",
    "tl_keras.export",
    "tl_keras.explain",
    "tl_keras.demo",
    "tl_keras.__main__",
]
FOLDERS_OF_BEHAVIOUR = {"benchmarks", "reliability", "security"}
"""Test folders that do not mirror a folder of the package."""


def relative(path):
    return str(path.relative_to(ROOT))


def exported_modules(package):
    """Returns the modules and packages that a package loads lazily, as its `__init__.pyi` lists them."""
    stub = ROOT / package.replace(".", "/") / "__init__.pyi"
    nodes = ast.parse(stub.read_text(encoding="utf-8")).body if stub.exists() else []
    imports = [(f"{package}.{node.module}" if node.module else package, node.names) for node in nodes]
    return {f"{module}.{alias.name}" for module, names in imports for alias in names} | {
        module for module, _ in imports
    }


@pytest.fixture(scope="module")
def import_graph():
    """Dict from each module to the modules that it imports, lazy loading through a package included."""
    graph = grimp.build_graph("tl_keras", cache_dir=None)
    edges = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    # Every module may read `tl_keras.__version__`, so the names that the root loads do not count as its imports.
    return {
        module: imports | (exported_modules(module) & edges.keys() - {module} if module != "tl_keras" else set())
        for module, imports in edges.items()
    }


def test_imports_only_go_down():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    result = subprocess.run([*command, "--config", "setup.cfg"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_no_import_circle(import_graph):
    assert "tl_keras.evaluation.detection" in import_graph["tl_keras.evaluation"]
    graphlib.TopologicalSorter(import_graph).prepare()


def test_the_package_root_is_small():
    modules = [path.name for path in MODULES if path.parent == PACKAGE]
    assert len(modules) <= MAX_ROOT_MODULES, modules


@pytest.mark.parametrize("folder", FOLDERS, ids=relative)
def test_no_folder_has_too_many_modules(folder):
    modules = [path.name for path in MODULES if path.parent == folder]
    assert len(modules) <= MAX_FOLDER_MODULES, modules


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_module_has_a_test_file(path):
    mirror = TESTS / path.relative_to(PACKAGE).parent / f"test_{path.stem.strip('_')}.py"
    assert mirror.exists(), f"{relative(mirror)} is missing"


def test_every_test_folder_mirrors_a_folder_of_the_package():
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    extra = {folder for folder in folders if not (PACKAGE / folder).is_dir()}
    assert extra == {Path(name) for name in FOLDERS_OF_BEHAVIOUR}


@pytest.mark.parametrize("module", WITHOUT_TENSORFLOW)
def test_importing_loads_no_tensorflow(module):
    code = f"import sys, {module}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_help_of_no_verb_imports_a_slow_package():
    slow = {"sklearn", "matplotlib", "pandas", "scipy", "tensorflow_datasets", "h5py"}
    verbs = ", ".join(f"tl_keras.{verb}" for verb in VERBS)
    code = f"import sys, {verbs}; print(*({slow!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True)
    assert result.stdout == "\n"


@pytest.mark.parametrize("name", tl.__all__)
def test_every_public_name_exists_and_is_documented(name):
    assert getattr(tl, name).__doc__


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_pickle_no_eval_no_assert(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & {"eval", "exec", "compile"}
