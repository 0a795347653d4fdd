"""Unsafe calls that no module of the package may contain, searched in the syntax trees."""

import ast
import functools
import re
from pathlib import Path

from tl_keras.evaluation.templates import load_template

PACKAGE = Path(__file__).parents[2] / "tl_keras"
MODULES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
FORBIDDEN_MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "code",
    "codeop",
    "torch",
}
RESTRICTED_UNPICKLER = "models/images/torch_checkpoint.py"
PROCESSES = "system/pip_assets.py"
MODEL_OPENER = "models/saved/saving.py"


def name_of(node):
    """Formats an expression such as `a.b.c`, or returns an empty string for other expressions."""
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def calls_in(path):
    """Lists the called names, each with its keyword arguments as source."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [(name_of(call.func), {word.arg: ast.unparse(word.value) for word in call.keywords}) for call in calls]


@functools.cache
def calls_by_module():
    """Returns a dict from each module to its calls, read by the first test and not while tests are collected."""
    return {module: calls_in(path) for module, path in MODULES.items()}


def callers(*names, allowed=(), fits=lambda words: False):
    """Lists (module, name) of calls whose name ends in one of these, except in allowed modules or if `fits`."""
    return [
        (module, name)
        for module, calls in calls_by_module().items()
        for name, words in calls
        if name in names or name.endswith(tuple(f".{one}" for one in names))
        if module not in allowed and not fits(words)
    ]


def test_no_module_that_executes_data_is_imported():
    for module, path in MODULES.items():
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        found = {name.split(".")[0] for name in names} & FORBIDDEN_MODULES
        assert found <= ({"pickle"} if module == RESTRICTED_UNPICKLER else set()), module


def test_no_function_that_executes_text_is_called():
    assert not callers("eval", "exec", "__import__", "system", "popen")
    assert not [module for module, calls in calls_by_module().items() if "compile" in [name for name, _ in calls]]
    assert not callers("pickle.load", "pickle.loads")


def test_yaml_is_read_as_plain_values():
    # The package's own loader starts with an underscore and extends the safe one.
    safe = {"fits": lambda words: words.get("Loader", "").endswith(("SafeLoader", "_Loader"))}
    assert not callers("yaml.load", "yaml.load_all", **safe)
    assert not callers("unsafe_load", "full_load", "unsafe_load_all", "full_load_all")


def test_numpy_files_are_read_without_pickles():
    assert not callers("np.load", "numpy.load", fits=lambda words: words.get("allow_pickle") == "False")


def writes_in(path):
    """Lists the targets of calls that write a file by its path, except `RunFolder.write_text`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    targets = [ast.unparse(call.args[0]) for call in calls if name_of(call.func).endswith("savefig")]
    for call in calls:
        owner, _, name = name_of(call.func).rpartition(".")
        if name in ("write_text", "write_bytes") and owner and owner not in ("run", "self"):
            targets.append(owner)
        mode = call.args[1] if len(call.args) > 1 else None
        if name == "open" and isinstance(mode, ast.Constant) and set(str(mode.value)) & set("wax+"):
            targets.append(ast.unparse(call.args[0]))
    return targets


def test_files_are_written_to_temporary_ones_that_then_replace_them():
    # These write into a new folder that only they know.
    new_folders = {"coco_writing.py", "hugging_face_tensors.py", "pip_assets.py", "sentence_pieces.py"}
    new_folders |= {"litert_file.py", "tokenizer_file.py"}
    targets = {(path.name, target) for path in MODULES.values() for target in writes_in(path)}
    direct = {(module, target) for module, target in targets if target != "temporary" and module not in new_folders}
    # The store locks a file without changing it.
    assert direct == {("links.py", "descriptor"), ("store.py", "path")}


def test_archives_are_not_extracted_by_the_names_in_them():
    assert not callers("extractall", "extract", "unpack_archive")


def test_keras_opens_models_in_one_place_and_safely():
    assert not callers("load_model", allowed=[MODEL_OPENER])
    opened = [words for name, words in calls_by_module()[MODEL_OPENER] if name.endswith("load_model")]
    assert opened == [{"compile": "False", "safe_mode": "True"}]


def test_one_module_starts_processes_without_a_shell():
    assert not callers("subprocess.run", "Popen", "check_output", "check_call", allowed=[PROCESSES])
    assert not [module for module, calls in calls_by_module().items() if any("shell" in words for _, words in calls)]


def test_templates_escape_their_values():
    # Jinja cannot escape Markdown; each cell of the model card has a filter for this.
    escaped = {"fits": lambda words: words.get("autoescape") == "jinja2.select_autoescape(['html.jinja'])"}
    assert not callers("Environment", **escaped)
    templates = list((PACKAGE / "evaluation").glob("*.jinja"))
    names = {path.name for path in templates} - {"model_card.md.jinja"}
    assert "report.html.jinja" in names and all(name.endswith(".html.jinja") for name in names)
    escapes = load_template("report.html.jinja", number=str).environment.autoescape
    assert all(escapes(name) is True for name in names)
    assert not [path.name for path in templates if re.search(r"\|\s*safe\b", path.read_text(encoding="utf-8"))]
