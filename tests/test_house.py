"""The house itself: its floors, its public names, what loads TensorFlow and what does not."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tl_keras as tl

ROOT = Path(__file__).parents[1]
MODULES = sorted(path for path in (ROOT / "tl_keras").rglob("*.py") if path.name != "__init__.py")
WITHOUT_TENSORFLOW = ["tl_keras", "tl_keras.train", "tl_keras.predict", "tl_keras.evaluate", "tl_keras.__main__"]


def test_imports_only_go_down():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    result = subprocess.run([*command, "--config", "setup.cfg"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("module", WITHOUT_TENSORFLOW)
def test_importing_loads_no_tensorflow(module):
    code = f"import sys, {module}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_help_loads_nothing_that_takes_long():
    slow = {"sklearn", "matplotlib", "pandas", "scipy", "tensorflow_datasets", "h5py"}
    code = f"import sys, tl_keras.train; print(*({slow!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True)
    assert result.stdout == "\n"


@pytest.mark.parametrize("name", tl.__all__)
def test_every_public_name_is_there_and_documented(name):
    assert getattr(tl, name).__doc__


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_has_a_test_file(path):
    relative = path.relative_to(ROOT / "tl_keras")
    mirror = ROOT / "tests" / relative.parent / f"test_{relative.stem.strip('_')}.py"
    assert mirror.exists(), f"{mirror.relative_to(ROOT)} is missing"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_pickle_no_eval_no_assert(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & {"eval", "exec", "compile"}
