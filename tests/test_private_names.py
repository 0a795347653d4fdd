"""The private names of other packages that tl_keras uses: an upgrade that removes one fails here with a sentence.

The classes that `.keras` files name are another list, checked by tests/models/saved/test_allow_list.py.
"""

import ast
import importlib
import importlib.metadata
from functools import reduce
from pathlib import Path

import keras
import pytest

PRIVATE_NAMES = {
    ("keras", "3.15.1"): {
        "keras.Layer._flatten_layers": "the layers inside a layer, at any depth",
        "keras.Layer._trainable_variables": "a layer's own variables, without those of the layers inside it",
        "keras.Layer._non_trainable_variables": "a layer's own variables, without those of the layers inside it",
        "keras.Layer._seed_generators": "the random state of dropout and of detectors",
        "keras.KerasTensor._keras_history": "the layer that a tensor comes from",
        "keras.layers.Dense._kernel": "the kernel below the adapters of LoRA",
        "keras.layers.Embedding._embeddings": "the table below the adapters of LoRA",
        "keras.Sequential._functional": "the graph of a sequential model",
        "keras.src.models.functional.Functional._nodes_by_depth": "the graph of a functional model",
        "keras.src.trainers.compile_utils.CompileMetrics._user_metrics": "metric names before the first step",
        "keras.src.trainers.compile_utils.CompileMetrics._user_weighted_metrics": "metrics before the first step",
        "keras.Metric._direction": "whether a metric is better when lower or higher",
        "keras.Model._compile_loss": "building the loss on the batch of one replica",
        "keras.Model._compile_metrics": "building the metrics on the batch of one replica",
        "keras.Model._loss_tracker": "the mean loss over shards",
        "keras.Model._make_function": "steps over all replicas, replaced",
        "keras.Model._maybe_symbolic_build": "building a model on the batch of one replica, replaced",
        "keras.Model._symbolic_build": "building a model on the batch of one replica",
        "keras.Optimizer._all_reduce_sum_gradients": "sums of gradients over replicas, replaced",
        "keras.Optimizer._apply_weight_decay": "weight decay at the rate of each block, replaced",
        "keras.Optimizer._backend_update_step": "rates and bias corrections of all variables, computed at once",
        "keras.Optimizer._exclude_from_weight_decay": "copies of an optimizer",
        "keras.Optimizer._exclude_from_weight_decay_pattern": "copies of an optimizer",
        "keras.Optimizer._get_variable_index": "the moments of a variable",
        "keras.Optimizer._learning_rate": "the state of an optimizer without its learning rate",
        "keras.Optimizer._model_variables_moving_average": "averages of frozen weights",
        "keras.Optimizer._trainable_variables": "the variables that an optimizer was built over",
        "keras.Optimizer._update_model_variables_moving_average": "averages of frozen weights, replaced",
        "keras.Optimizer._use_weight_decay": "the variables without weight decay",
        "keras.Optimizer._variables": "the state of an optimizer",
        "keras.optimizers.AdamW._momentums": "the moments of a variable",
        "keras.optimizers.AdamW._velocities": "the moments of a variable",
        "keras.src.backend.common.global_state.get_global_attribute": "the seeds of keras.random",
        "keras.src.backend.common.global_state.set_global_attribute": "the seeds of keras.random, restored",
        "keras.src.export.tf2onnx_lib.patch_tf2onnx": "tf2onnx with NumPy 2",
        "keras.src.utils.tracking.DotNotTrackScope": "vocabularies, in which Keras looks for weights word by word",
    },
    ("keras-hub", "0.32.0"): {
        "keras_hub.src.models.d_fine.d_fine_decoder.DFineDecoder": "the decoder of D-FINE as a layer of its own",
        "keras_hub.src.utils.preset_utils.load_json": "the maximum length of a text encoder, without its weights",
    },
    ("keras-cv", "0.9.0"): {
        "keras_cv.src.models.object_detection.yolo_v8.yolo_v8_detector.apply_path_aggregation_fpn": "YOLOv8's neck",
        "keras_cv.src.models.object_detection.yolo_v8.yolo_v8_detector.apply_yolo_v8_head": "YOLOv8's head",
    },
    ("tensorflow", "2.21.0"): {
        "tensorflow.python.framework.op_callbacks.add_op_callback": "the tensors inside of blocks, before they compute",
        "tensorflow.python.framework.op_callbacks.remove_op_callback": "the same, ended",
        "tensorflow.python.framework.convert_to_constants.convert_variables_to_constants_v2": "a graph of constants",
        "tensorflow.python.eager.context.context": "the random state of eager operations",
        "tensorflow.python.eager.context.global_seed": "the random state of eager operations",
        "tensorflow.python.eager.context.Context._rng": "the random state of eager operations",
        "tensorflow.python.eager.record.record_operation": "gradients written out, without a function to trace",
        "tensorflow.python.eager.record.stop_recording": "gradients written out, without a function to trace",
        "tensorflow.python.trackable.base.no_automatic_dependency_tracking": "vocabularies, likewise",
        "tensorflow.python.framework.config.disable_op_determinism": "determinism of a run ends with it",
        "tensorflow.python.framework.config.enable_op_determinism": "determinism of the user stays",
        "tensorflow.python.framework.config.is_op_determinism_enabled": "determinism of the user stays",
    },
}
"""From package and the version that its names were checked on to their dotted names and what they are used for."""

ENTRIES = [(package, checked, name) for (package, checked), names in PRIVATE_NAMES.items() for name in names]
LAST_NAMES = {name.rpartition(".")[2] for _, _, name in ENTRIES}
DOCUMENTED = {"_exit", "_replace"}
"""Public in spite of their underscore: `os._exit` and the methods of named tuples."""
ROOT = Path(__file__).parents[1]
TREES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "tl_keras").rglob("*.py"))
}


def make_instances():
    """Builds an object of each class whose private names are attributes of its instances."""
    dense, embedding = keras.layers.Dense(1), keras.layers.Embedding(2, 2)
    sequential = keras.Sequential([keras.Input((2,)), dense])
    embedding.build(None)
    model = keras.Model(sequential.inputs, sequential.outputs)
    model.compile(keras.optimizers.AdamW(use_ema=True), "mse", metrics=["mae"])
    model.optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.optimizer.build(model.trainable_variables)
    return {
        "keras.Layer": dense,
        "keras.Operation": dense,
        "keras.KerasTensor": model.outputs[0],
        "keras.layers.Dense": dense,
        "keras.layers.Embedding": embedding,
        "keras.Sequential": sequential,
        "keras.Metric": keras.metrics.MeanAbsoluteError(),
        "keras.Model": model,
        "keras.src.models.functional.Functional": model,
        "keras.src.trainers.compile_utils.CompileMetrics": model._compile_metrics,
        "keras.Optimizer": model.optimizer,
        "keras.optimizers.AdamW": model.optimizer,
        "tensorflow.python.eager.context.Context": seeded_context(),
    }


def seeded_context():
    """Returns TensorFlow's context, which has a generator of seeds once there is a global seed."""
    keras.utils.set_random_seed(0)
    return importlib.import_module("tensorflow.python.eager.context").context()


@pytest.fixture(scope="module")
def instances():
    return make_instances()


def is_there(name, instances):
    """Returns whether an object can be reached by its dotted name, as an attribute of a class or of an instance."""
    place, _, attribute = name.rpartition(".")
    if place in instances and hasattr(instances[place], attribute):
        return True
    parts = place.split(".")
    for length in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        return hasattr(reduce(lambda part, inner: getattr(part, inner, None), parts[length:], module), attribute)
    return False


def is_private(name):
    return name.startswith("_") and not name.startswith("__") and name != "_"


def is_private_module(name):
    parts = name.split(".")
    return parts[0] not in ("tl_keras", "__future__") and (
        "src" in parts or name.startswith("tensorflow.python") or any(map(is_private, parts))
    )


def own_names(trees):
    """Returns the private names that the package defines itself."""
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    stored = {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    return defined | stored | {node.id for node in nodes if isinstance(node, ast.Name)}


def private_uses(trees, keras_names):
    """Yields (file and line, last name) of each use of a private name of another package.

    Args:
        trees: dict from path to syntax tree.
        keras_names: private names of Keras's classes, which count also where the package defines the same name.
    """
    own = own_names(trees)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            for name in private_names_in(node, own, keras_names):
                yield f"{path}:{node.lineno}", name


def private_names_in(node, own, keras_names):
    if isinstance(node, ast.Attribute) and is_private(node.attr):
        of_itself = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        if node.attr not in own or (not of_itself and node.attr in keras_names):
            yield node.attr
    elif isinstance(node, ast.FunctionDef) and node.name in keras_names:
        yield node.name
    elif isinstance(node, ast.Constant) and node.value in keras_names:
        yield node.value
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr", "setattr", "delattr"):
        yield from (part.value for part in node.args if isinstance(part, ast.Constant) and is_private(str(part.value)))
    if isinstance(node, ast.ImportFrom) and is_private_module(node.module or ""):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if is_private_module(alias.name))
    elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node):
        texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
        yield from (text for text in texts if isinstance(text, str) and is_private_module(text))


def unlisted(uses, entries):
    """Returns the uses that no entry covers: a name by its last part, a module by being the place of an entry."""
    listed, last_names = [f"{name}." for _, _, name in entries], {name.rpartition(".")[2] for _, _, name in entries}
    return [
        (place, name)
        for place, name in uses
        if name not in DOCUMENTED | last_names and not any(entry.startswith(f"{name}.") for entry in listed)
    ]


@pytest.fixture(scope="module")
def uses(instances):
    names = {
        name
        for instance in instances.values()
        for name in dir(instance)
        if is_private(name) and (callable(getattr(instance, name, None)) or name in LAST_NAMES)
    }
    return list(private_uses(TREES, names))


@pytest.mark.parametrize(("package", "checked", "name"), ENTRIES)
def test_every_private_name_is_there_and_used(package, checked, name, instances, uses):
    last = name.rpartition(".")[2]
    places = [place for place, used in uses if used == last or name.startswith(f"{used}.")]
    assert is_there(name, instances), (
        f"{package} {importlib.metadata.version(package)}: {name} is gone, used in {', '.join(places)}; checked on "
        f"{checked}"
    )
    assert places, f"{name} is not used any more: remove it from the table"


@pytest.mark.parametrize(("package", "checked"), PRIVATE_NAMES)
def test_the_names_were_checked_on_the_installed_version(package, checked):
    installed = importlib.metadata.version(package)
    assert installed == checked, (
        f"{package} {installed} is installed, but the private names in this table were checked on {checked}: read in "
        f"its changes whether each still means the same, then write {installed} into the table"
    )


def test_no_private_name_is_used_outside_the_table(uses):
    assert not unlisted(uses, ENTRIES)


@pytest.mark.parametrize("name", [name for _, _, name in ENTRIES if is_private(name.rpartition(".")[2])])
def test_the_scan_finds_each_private_name_whose_entry_is_removed(name, uses):
    entries = [entry for entry in ENTRIES if not entry[2].endswith(f".{name.rpartition('.')[2]}")]
    assert unlisted(uses, entries)


@pytest.mark.parametrize(
    "line",
    [
        "model._new_name",
        "self._new_name",
        "getattr(model, '_new_name', None)",
        "import tensorflow.python.eager.backprop",
        "from keras.src.backend import standardize_dtype",
        "from keras_hub._internal import name",
        "importlib.import_module('keras_cv.src.layers').Name",
    ],
)
def test_the_scan_finds_a_new_private_name(line):
    assert unlisted(private_uses({"new.py": ast.parse(line)}, set()), ENTRIES)


def test_names_of_the_package_itself_are_no_private_uses():
    assert not list(private_uses({"new.py": ast.parse("def _own(): pass\nmodule._own\nself.__class__")}, set()))


def test_a_name_that_is_gone_is_missed(instances):
    for name in ("keras.Layer._gone", "keras.Gone._name", "keras.src.gone.name", "gone.name"):
        assert not is_there(name, instances)
