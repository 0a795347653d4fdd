import json

import pytest
import tensorflow_datasets as tfds

from tl_keras.data.reading.tfds_safety import check_name, check_prepared
from tl_keras.errors import InputError


@pytest.mark.parametrize("name", ["mnist", "oxford_flowers102:2.1.1", "glue/sst2", "glue/sst2:2.*.*", "a/b-c.d+e"])
def test_plain_names_pass(name):
    check_name(name)


@pytest.mark.parametrize(
    "name", ["huggingface:evil", "evil:mnist", "mnist/data_dir=/tmp", "mnist/a,b=1", "../mnist", "/tmp/mnist", "a/b/c"]
)
def test_namespaces_folders_and_arguments_are_refused(name):
    with pytest.raises(InputError, match="not the plain name of a data set"):
        check_name(name)


def test_features_of_tensorflow_datasets_pass(tmp_path):
    features = tfds.features.FeaturesDict(
        {
            "type": tfds.features.Text(),
            "image": tfds.features.Image(shape=(None, None, 3)),
            "objects": tfds.features.Sequence({"bbox": tfds.features.BBoxFeature()}),
            "label": tfds.features.ClassLabel(num_classes=2),
        }
    )
    features.save_config(tmp_path)
    check_prepared(tmp_path)


@pytest.mark.parametrize(
    "features",
    [
        {"pythonClassName": "evil.Feature"},
        {"featuresDict": {"features": {"image": {"pythonClassName": "evil.module.Feature"}}}},
        {"type": "evil.Feature", "content": {}},
        {"content": [{"type": "tensorflow_datasets.core.features.image_feature.Image/../evil"}]},
        {"pythonClassName": ["evil.Feature"]},
    ],
)
def test_features_of_other_classes_are_refused(tmp_path, features):
    (tmp_path / "features.json").write_text(json.dumps(features))
    with pytest.raises(InputError, match="would be imported"):
        check_prepared(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_damaged_description_is_refused(tmp_path, text):
    (tmp_path / "features.json").write_text(text)
    with pytest.raises(InputError, match="Cannot read"):
        check_prepared(tmp_path)
