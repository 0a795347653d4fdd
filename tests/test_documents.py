"""Documents, shipped configurations, benchmarks and notebooks: commands, flags, names and versions exist."""

import ast
import configparser
import importlib
import inspect
import json
import re
from pathlib import Path

import defusedxml.ElementTree as ElementTree
import numpy as np
import pytest
import tensorflow as tf
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tl_keras import train
from tl_keras.config import RunConfig, flag_names
from tl_keras.config.parsing import OWN_FLAGS, parse
from tl_keras.phases import total_epochs
from tl_keras.recipes import expand_recipe
from tl_keras.tasks.registry import TASKS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHIPPED = sorted((ROOT / "tl_keras").rglob("*.yaml"))
LINES = [line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()]
PINNED = [Requirement(line) for line in LINES if line]
HASHED = (ROOT / "requirements-hashes.txt").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
HASHED_LINES = [line for line in HASHED if not line.startswith("#")]
FLAG = re.compile(r"(?<![\w-])--[\w.]+")
SCRIPT = re.compile(r"python (benchmarks/\w+\.py|-m tests[.\w]+)([^`\n]*(?:(?:\n[^`\n]+){1,2}`)?)")
PROGRAMS = [*sorted((ROOT / "benchmarks").rglob("*.py")), *sorted((ROOT / "notebooks").glob("*.ipynb"))]
DOCUMENTS = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
MAX_README_LINES = 170
OTHER_FLAGS = {
    *OWN_FLAGS,
    "--split",
    *train.ACTIONS,
    "--format",
    "--output",
    "--annotated",
    "--score_threshold",
    "--min_confidence",
    "--data",
    "--backbones",
    "--verify",
    "--budgets",
    "--draws",
    "--methods",
    "--price_per_hour",
    "--files",
    "--path_column",
    "--text_column",
    "--pool",
    "--count",
    "--labelled",
    "--training_table",
    "--new_classes",
    "--apply",
    "--class",
    "--max_boxes",
    "--port",
    "--logdir",
    "--second_text_column",
    "--quantize",
    "--shard",
}


def test_the_readme_opens_with_the_two_commands():
    first_block = re.search(r"```bash\n(.*?)```", README, re.DOTALL).group(1)
    assert first_block.splitlines() == [
        "pip install -r requirements.txt && python -m tl_keras.train",
        "pip install -r requirements.txt && python -m pytest",
    ]


def test_the_readme_is_short():
    assert len(README.splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("document", [*DOCUMENTS, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_lines_of_prose_have_at_most_120_characters(document):
    prose = re.sub(r"^```.*?^```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert not [line for line in prose.splitlines() if len(line) > 120 and not line.startswith(("|", "!["))]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_flag_in_a_document_is_known(document):
    without_scripts = SCRIPT.sub("", (ROOT / document).read_text(encoding="utf-8"))
    assert set(FLAG.findall(without_scripts)) <= {*flag_names(), *OTHER_FLAGS}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_script_in_a_document_exists_and_has_its_flags(document):
    for script, arguments in SCRIPT.findall((ROOT / document).read_text(encoding="utf-8")):
        path = script.removeprefix("-m ").replace(".", "/") + ".py" if script.startswith("-m ") else script
        source = (ROOT / path).read_text(encoding="utf-8")
        assert all(f'"{flag}"' in source for flag in FLAG.findall(arguments)), (script, arguments)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_configuration_in_a_document_is_valid(document, tmp_path):
    text = (ROOT / document).read_text(encoding="utf-8")
    for block in re.findall(r"```ya?ml\n(.*?)```", text, re.DOTALL):
        (tmp_path / "run.yaml").write_text(block, encoding="utf-8")
        assert parse(["--config", str(tmp_path / "run.yaml")]).task
    for block in re.findall(r"```xml\n(.*?)```", text, re.DOTALL):
        assert ElementTree.fromstring(block).tag == "View"
    for phases in re.findall(r'--phases "(\[[^"]*\])"', text):
        assert parse(["--data.path", "photos", "--phases", phases]).phases


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_of_a_document_exists(document):
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert target.startswith("http") or (path.parent / target).exists(), target


def test_every_page_is_in_the_table_of_contents_of_the_site():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```{toctree}\n:caption:.*\n([^`]*)", index)
    listed = {name for block in blocks for name in block.split()}
    pages = {str(path.relative_to(ROOT / "docs").with_suffix("")) for path in (ROOT / "docs").rglob("*.md")}
    assert listed == pages - {"index"}


def test_the_reference_has_every_public_name():
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md"))
    shown = set(re.findall(r":: tl_keras\.(\w+)$", pages, re.MULTILINE))
    stub = (ROOT / "tl_keras" / "__init__.pyi").read_text(encoding="utf-8")
    assert shown >= set(re.findall(r"^from \.[a-z_.]+\.?\w* import \w+ as (\w+)$", stub, re.MULTILINE))


def test_the_comparison_of_recipes_has_the_epochs_of_progressive_unfreezing():
    blocks = TASKS["image_classification"].known_blocks(RunConfig())
    phases = expand_recipe("progressive_unfreezing", blocks, num_examples=568)
    images = (ROOT / "docs" / "images.md").read_text(encoding="utf-8")
    compared = int(re.search(r"train: all, epochs: (\d+)", images).group(1))
    assert total_epochs(phases) == compared


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_configuration_starts_with_its_command_and_is_valid(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# python -m tl_keras.train --config {path.stem}\n")
    assert f"\ntask: {parse(['--config', path.stem]).task}\n" in text


def test_every_installed_package_is_pinned_by_a_hash():
    assert len(HASHED_LINES) > len(PINNED)
    assert all(re.match(r"[\w.-]+==[\w.]+ .*--hash=sha256:[0-9a-f]{64}", line) for line in HASHED_LINES)
    names = {f"{canonicalize_name(pinned.name)}{pinned.specifier}" for pinned in PINNED}
    assert names <= {line.split()[0] for line in HASHED_LINES}


def test_extras_are_pinned_by_hashes_beside_the_same_packages():
    text = (ROOT / "requirements-extras-hashes.txt").read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.match(r"[\w.-]+==[\w.]+ .*--hash=sha256:[0-9a-f]{64}", line) for line in lines)
    extras, plain = (dict(line.split()[0].split("==") for line in some) for some in (lines, HASHED_LINES))
    assert {name: version for name, version in extras.items() if name in plain}.items() <= plain.items()
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = [setup["options.extras_require"][extra] for extra in ("export", "track")]
    ranges = [Requirement(line) for line in "\n".join(listed).splitlines() if line]
    chosen = [one for one in ranges if canonicalize_name(one.name) in extras]
    assert {one.name for one in ranges} - {one.name for one in chosen} == {"mlflow", "wandb"}
    assert all(extras[canonicalize_name(one.name)] in one.specifier for one in chosen)


@pytest.mark.parametrize("pinned", PINNED, ids=str)
def test_pinned_versions_are_in_the_ranges_of_setup_cfg(pinned):
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = setup["options"]["install_requires"] + setup["options.extras_require"]["test"]
    ranges = {Requirement(line).name.lower(): Requirement(line).specifier for line in lines.splitlines() if line}
    version = next(iter(pinned.specifier)).version
    assert version in ranges[pinned.name.lower()]


def test_the_python_in_the_readme_runs():
    snippet = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    images = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype("float32")
    dataset = tf.data.Dataset.from_tensors((images, np.eye(12, dtype="float32")[:1]))
    names = {"dataset": dataset}
    exec(compile(snippet, "README.md", "exec"), names)
    assert names["model"].history.epoch == list(range(8))


def program(path):
    """Returns the Python source of a script, or of the code cells of a notebook without their magics."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return re.sub(r"^[%!].*$", "", "\n".join("".join(cell["source"]) for cell in cells), flags=re.MULTILINE)


def find(name):
    """Returns the module or the object of a dotted name, or None."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        return getattr(find(module), attribute, None) if module else None


def package_names(tree):
    """Returns the dotted names of all imports from the package, and of the attributes of imported modules."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    imports = [node for node in imports if node.module.split(".")[0] == "tl_keras"]
    names = {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    modules = {name: path for name, path in names.items() if inspect.ismodule(find(path))} | {"tl": "tl_keras"}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    used = {f"{modules[node.value.id]}.{node.attr}" for node in nodes if getattr(node.value, "id", None) in modules}
    return used | set(names.values())


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_every_name_of_the_package_in_a_benchmark_or_notebook_exists(path):
    missing = [name for name in sorted(package_names(ast.parse(program(path)))) if find(name) is None]
    assert not missing
