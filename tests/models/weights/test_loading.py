import hashlib

import keras
import numpy as np
import pytest

from tests.cheap_weights import cheap_weights
from tl_keras.errors import InputError
from tl_keras.models.images.backbones import BACKBONES
from tl_keras.models.images.building import build_backbone
from tl_keras.models.saved.saving import save_model
from tl_keras.models.weights.loading import load_weights

RUN = ("cat", "dog", "bird")


def classifier(num_classes=3, *, channels=4, hidden_units=None, class_names=None, layers=2, name="small"):
    """Builds a classifier with named blocks whose weights differ from those of every other."""
    image = keras.Input((8, 8, 3), name="preprocessing.image")
    outputs = image
    for number in range(layers):
        outputs = keras.layers.Conv2D(channels, 3, padding="same", name=f"block{number}.conv")(outputs)
        outputs = keras.layers.BatchNormalization(name=f"block{number}.bn")(outputs)
    outputs = keras.layers.GlobalAveragePooling2D(name="head.pool")(outputs)
    if hidden_units:
        outputs = keras.layers.Dense(hidden_units, name="head.hidden")(outputs)
    outputs = keras.layers.Dense(num_classes, bias_initializer="normal", name="head.logits")(outputs)
    model = keras.Model(image, outputs, name=name)
    model.class_names = class_names
    return model


def weights_of(model, *names):
    return [array for name in names for array in model.get_layer(name).get_weights()]


def assert_equal_weights(model, other, *names):
    for array, expected in zip(weights_of(model, *names), weights_of(other, *names), strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.fixture
def saved(tmp_path):
    def saved(model):
        save_model(model, tmp_path / "model.keras")
        return tmp_path / "model.keras"

    return saved


BACKBONE = ("block0.conv", "block0.bn", "block1.conv", "block1.bn")


def test_all_layers_of_an_equal_model_are_loaded(saved):
    old, new = classifier(class_names=RUN), classifier(class_names=RUN)
    report = load_weights(new, saved(old))
    assert_equal_weights(new, old, *BACKBONE, "head.logits")
    assert report.matched == (*BACKBONE, "head.logits")
    assert (report.missing, report.unexpected, report.clashes) == ((), (), ())


def test_a_run_folder_and_a_sha256_are_accepted(saved):
    path = saved(classifier())
    load_weights(classifier(), path.parent, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(InputError, match="SHA-256"):
        load_weights(classifier(), path.parent, sha256="00")


def test_classes_known_by_name_keep_their_weights(saved):
    old, new = classifier(class_names=RUN), classifier(4, class_names=("bird", "fish", "cat", "cow"))
    initial = weights_of(new, "head.logits")
    report = load_weights(new, saved(old))
    loaded, source_weights = weights_of(new, "head.logits"), weights_of(old, "head.logits")
    for before, after, source in zip(initial, loaded, source_weights, strict=True):
        np.testing.assert_array_equal(after[..., [0, 2]], source[..., [2, 0]])
        np.testing.assert_array_equal(after[..., [1, 3]], before[..., [1, 3]])
    assert report.kept_classes == ("bird", "cat")
    assert report.clashes == ("head.logits (other classes)",)
    assert "kept classes: bird, cat" in str(report)


def test_classes_in_another_order_are_loaded_by_name(saved):
    old, new = classifier(class_names=RUN), classifier(class_names=RUN[::-1])
    report = load_weights(new, saved(old))
    for array, source in zip(weights_of(new, "head.logits"), weights_of(old, "head.logits"), strict=True):
        np.testing.assert_array_equal(array, source[..., ::-1])
    assert "head.logits" in report.matched


@pytest.mark.parametrize(
    "old_options, new_options, clash",
    [
        ({}, {"num_classes": 5}, "4×3 3 in the file, 4×5 5 here"),
        ({"class_names": RUN}, {"class_names": ("a", "b", "c")}, "other classes"),
        ({"class_names": RUN, "hidden_units": 6}, {"class_names": RUN, "hidden_units": 7}, "before it is new"),
        ({"hidden_units": 6}, {"hidden_units": 7}, "the layer before it is new"),
        ({}, {"hidden_units": 4}, "a head of other layers"),
        ({"hidden_units": 4}, {}, "a head of other layers"),
    ],
)
def test_a_head_that_does_not_fit_stays_new(saved, old_options, new_options, clash):
    old, new = classifier(**old_options), classifier(**new_options)
    initial = weights_of(new, "head.logits")
    report = load_weights(new, saved(old))
    assert_equal_weights(new, old, *BACKBONE)
    assert any(clash in text for text in report.clashes)
    assert "clashes: " in str(report)
    for array, before in zip(weights_of(new, "head.logits"), initial, strict=True):
        np.testing.assert_array_equal(array, before)


def test_a_backbone_of_other_shapes_is_refused_and_changes_nothing(saved):
    new = classifier(channels=5)
    before = new.get_weights()
    with pytest.raises(InputError, match=r"do not fit small: 4 .*block0.conv: 3×3×3×4 4 in the file, 3×3×3×5 5 here"):
        load_weights(new, saved(classifier()))
    for array, expected in zip(new.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_a_file_of_another_model_is_refused(saved, tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).save(tmp_path / "other.keras")
    with pytest.raises(InputError, match="0 of its 4 layers"):
        load_weights(classifier(), tmp_path / "other.keras")


def test_missing_and_unexpected_layers_are_listed(saved):
    report = load_weights(classifier(layers=3), saved(classifier(layers=2)))
    assert report.missing == ("block2.conv", "block2.bn")
    report = load_weights(classifier(layers=2), saved(classifier(layers=3)))
    assert set(report.unexpected) == {"block2.conv", "block2.bn"}
    assert "unexpected: block2." in str(report)


def test_weights_of_frozen_layers_are_loaded(saved):
    old, new = classifier(), classifier()
    new.trainable = False
    load_weights(new, saved(old))
    assert_equal_weights(new, old, *BACKBONE, "head.logits")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name, suffix",
    [
        ("vgg16", ".h5"),
        ("inception_v3", ".h5"),
        ("convnext_tiny", ".weights.h5"),
        pytest.param("inception_v3", ".weights.h5", marks=pytest.mark.slow),
        pytest.param("mobilenet_v2", ".keras", marks=pytest.mark.slow),
        pytest.param("xception", ".h5", marks=pytest.mark.slow),
    ],
)
def test_files_of_keras_applications_match(tmp_path, name, suffix):
    entry, path = BACKBONES[name], tmp_path / f"file{suffix}"
    shape = (entry.minimum_size, entry.minimum_size, 3)
    keras.utils.clear_session()  # so that automatic names start with conv2d, as in the published files
    constructor = getattr(keras.applications, entry.constructor.partition(":")[2])
    with cheap_weights():
        application = constructor(weights=None, input_shape=shape, **entry.options)
        model = build_backbone(name, weights=None, image_size=shape[0])
    (application.save_weights if suffix == ".weights.h5" else application.save)(path)
    report = load_weights(model, path)
    assert (report.missing, report.unexpected) == ((), ())
    for variable, expected in zip(model.weights, application.weights, strict=True):
        np.testing.assert_array_equal(variable, expected)
