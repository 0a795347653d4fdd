import pytest

from tl_keras.errors import InputError
from tl_keras.models.images.hub_folders import check_hub_folder, is_without_converter, with_hub_prefix


@pytest.mark.parametrize(
    ("files", "needs_converter", "message"),
    [
        (None, True, "there is no folder .* of a KerasHub preset: give the folder of one"),
        ([], True, "has no config.json of a KerasHub preset"),
        (["config.json"], True, "has no image_converter.json, .* save the ImageConverter of the same preset into it"),
        (["config.json"], False, None),
        (["config.json", "image_converter.json"], True, None),
    ],
)
def test_a_folder_is_there_and_complete(files, needs_converter, message, tmp_path):
    folder = tmp_path / "preset"
    if files is not None:
        folder.mkdir()
    for name in files or ():
        (folder / name).write_text('{"registered_name": "keras_hub>X"}')
    if message is None:
        check_hub_folder(str(folder), needs_converter)
    else:
        with pytest.raises(InputError, match=message):
            check_hub_folder(str(folder), needs_converter)


def test_names_of_presets_are_not_checked():
    for name in ("resnet_50_imagenet", "hf://user/model"):
        check_hub_folder(name, True)
        assert not is_without_converter(name)


def test_a_folder_gets_the_prefix_and_a_missing_one_is_refused(tmp_path):
    (tmp_path / "preset").mkdir()
    assert with_hub_prefix(f"{tmp_path}/preset") == f"keras_hub:{tmp_path}/preset"
    assert [with_hub_prefix(name) for name in ("vgg16", "keras_hub:a")] == ["vgg16", "keras_hub:a"]
    with pytest.raises(InputError, match="there is no folder '/no/such/folder'"):
        with_hub_prefix("/no/such/folder")


@pytest.mark.parametrize("text", ['{"model_type": "vit", "class_name": "X"}', '{"architecture": "resnet50"}', "[]", ""])
def test_folders_of_other_formats_which_kerashub_would_convert_are_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match="not of a KerasHub preset for images|Cannot read"):
        check_hub_folder(str(tmp_path), False)
