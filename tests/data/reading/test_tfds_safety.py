import json

import pytest
import tensorflow_datasets as tfds

from tl_keras.data.reading.tfds_safety import check_name, check_prepared
from tl_keras.errors import InputError

INFO = {
    "name": "data",
    "splits": [{"name": "train", "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"}],
}


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
    (tmp_path / "dataset_info.json").write_text(json.dumps(INFO))
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
    (tmp_path / "dataset_info.json").write_text(json.dumps(INFO))
    with pytest.raises(InputError, match="would be imported"):
        check_prepared(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_damaged_description_is_refused(tmp_path, text):
    (tmp_path / "features.json").write_text(text)
    with pytest.raises(InputError, match="Cannot read"):
        check_prepared(tmp_path)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "gs://bucket/x", "a\\\\b", "../{SPLIT}"])
@pytest.mark.parametrize("key", ["filepathTemplate", "filepath_template", "name", "fileFormat", "configName"])
def test_files_in_other_folders_are_refused(tmp_path, key, name):
    (tmp_path / "features.json").write_text("{}")
    for info in ({key: name}, {"splits": [{"name": "train", key: name}]}):
        (tmp_path / "dataset_info.json").write_text(json.dumps(info))
        with pytest.raises(InputError, match="may lie in another folder"):
            check_prepared(tmp_path)


def test_features_named_after_files_in_other_folders_are_refused(tmp_path):
    (tmp_path / "features.json").write_text(json.dumps({"featuresDict": {"features": {"../../x": {}}}}))
    (tmp_path / "dataset_info.json").write_text(json.dumps(INFO))
    with pytest.raises(InputError, match="may lie in another folder"):
        check_prepared(tmp_path)
