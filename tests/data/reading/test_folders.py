import os
import shutil

import pytest

from tl_keras.data.reading.folders import list_images, read_folders
from tl_keras.errors import InputError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_class_folders(tmp_path):
    touch(tmp_path, "dog/b.png", "cat/a.jpg", "dog/a.png")
    records = read_folders(tmp_path)
    assert records.class_names == ("cat", "dog")
    assert records.names == ["cat/a.jpg", "dog/a.png", "dog/b.png"]
    assert records.sources == [str(tmp_path / name) for name in records.names]
    assert records.labels.tolist() == [0, 1, 1] and records.labels.dtype == "int32"
    assert records.splits == ["", "", ""] and records.notes == ()


def test_classes_named_by_numbers_are_sorted_by_value(tmp_path):
    touch(tmp_path, "10/a.png", "9/a.png", "1/a.png")
    assert read_folders(tmp_path).class_names == ("1", "9", "10")


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "png", "GIF", "bmp", "webp", "tif", "TIFF", "avif", "jfif"])
def test_image_suffixes_in_any_case(tmp_path, suffix):
    touch(tmp_path, f"a/x.{suffix}", "b/x.png")
    assert f"a/x.{suffix}" in read_folders(tmp_path).names


def test_hidden_system_and_other_files_are_ignored(tmp_path):
    touch(tmp_path, "a/1.png", "b/1.png", "README.md", "b/notes.txt", "b/Thumbs.db", "b/.hidden.png", "b/.git/x.png")
    touch(tmp_path, "__MACOSX/a/1.png", "a/__MACOSX/1.png", ".cache/1.png", "a/._1.png")
    assert read_folders(tmp_path).names == ["a/1.png", "b/1.png"]


def test_images_beside_the_class_folders_are_named(tmp_path):
    touch(tmp_path, "a/1.png", "b/1.png", "README.md", ".hidden.png", "b.png", "a.HEIC")
    (note,) = read_folders(f"{tmp_path}/").notes
    assert note == "2 images outside of class folders are not used: a.HEIC; b.png."


def test_images_beside_the_class_folders_of_a_split_are_named(tmp_path):
    touch(tmp_path, "train/a/1.png", "train/b/1.png", "train/c.png", "test/a/2.png")
    (note,) = read_folders(tmp_path).notes
    assert note == "1 image outside of class folders is not used: train/c.png."


def test_folders_below_a_class_folder_belong_to_it(tmp_path):
    touch(tmp_path, "a/x/y/1.png", "a/1.png", "b/1.png")
    assert read_folders(tmp_path).names == ["a/1.png", "a/x/y/1.png", "b/1.png"]


@pytest.mark.parametrize("validation", ["val", "valid", "validation", "Validation"])
def test_split_folders(tmp_path, validation):
    touch(tmp_path, "train/a/1.png", "train/b/1.png", f"{validation}/a/2.png", "test/b/3.png")
    records = read_folders(tmp_path)
    assert dict(zip(records.names, records.splits, strict=True)) == {
        "train/a/1.png": "train",
        "train/b/1.png": "train",
        f"{validation}/a/2.png": "validation",
        "test/b/3.png": "test",
    }
    assert records.class_names == ("a", "b")


def test_a_class_may_be_called_train(tmp_path):
    touch(tmp_path, "train/1.png", "bus/1.png")
    records = read_folders(tmp_path)
    assert records.class_names == ("bus", "train") and records.splits == ["", ""]


def test_a_folder_beside_split_folders_is_refused(tmp_path):
    touch(tmp_path, "train/a/1.png", "train/b/1.png", "extra/1.png")
    with pytest.raises(InputError, match="extra"):
        read_folders(tmp_path)


def test_accents_in_two_encodings_are_one_class(tmp_path):
    names = {"train": ["cafe\u0301", "tea"], "test": ["caf\u00e9", "tea"]}
    for split, classes in names.items():
        for name in classes:
            (tmp_path / split / name).mkdir(parents=True)
            (tmp_path / split / name / "a.png").write_bytes(b"x")
    records = read_folders(tmp_path)
    assert records.class_names == ("caf\u00e9", "tea")
    assert sorted(zip(records.splits, records.labels.tolist(), strict=True)) == [
        ("test", 0),
        ("test", 1),
        ("train", 0),
        ("train", 1),
    ]


def test_joiners_stay_in_the_names_of_classes_and_alone_make_no_other_class(tmp_path):
    persian = "\u0645\u06cc\u200c\u062e"
    touch(tmp_path, f"{persian}/1.png", "b/1.png")
    touch(tmp_path / "one", f"{persian}/1.png")
    with pytest.raises(InputError, match=f"got one, '{persian}'"):
        read_folders(tmp_path / "one")
    shutil.rmtree(tmp_path / "one")
    records = read_folders(tmp_path)
    assert records.class_names == ("b", persian) and f"{persian}/1.png" in records.names
    touch(tmp_path, f"{persian.replace(chr(0x200C), '')}/1.png")
    with pytest.raises(InputError, match="look alike"):
        read_folders(tmp_path)


def test_missing_folder(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        read_folders(tmp_path / "nowhere")


def test_empty_folder(tmp_path):
    with pytest.raises(InputError, match="Two or more class folders.*got none"):
        read_folders(tmp_path)


def test_one_class_only(tmp_path):
    touch(tmp_path, "only/1.png")
    with pytest.raises(InputError, match="got one, 'only'"):
        read_folders(tmp_path)


def test_every_empty_class_folder_is_named(tmp_path):
    touch(tmp_path, "a/1.png", "b/notes.txt")
    (tmp_path / "c").mkdir()
    with pytest.raises(InputError, match="no images in a class folder at b, c: add files"):
        read_folders(tmp_path)


def test_loops_of_links_list_each_file_once(tmp_path):
    touch(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/2.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
    (tmp_path / "b" / "other").symlink_to(tmp_path / "a")
    (tmp_path / "b" / "endless").symlink_to(tmp_path / "b" / "endless")
    assert read_folders(tmp_path).names == ["a/1.png", "a/2.png", "b/1.png", "b/2.png"]


def test_a_link_to_a_folder_elsewhere_is_followed(tmp_path):
    touch(tmp_path, "store/1.png", "data/b/1.png")
    (tmp_path / "data" / "a").symlink_to(tmp_path / "store")
    assert read_folders(tmp_path / "data").names == ["a/1.png", "b/1.png"]


def test_list_images_sorts_folder_by_folder(tmp_path):
    touch(tmp_path, "b/1.png", "a/2.png", "a/1.png", "z.png", "notes.txt")
    names = [os.path.relpath(path, tmp_path) for path in list_images(str(tmp_path))]
    assert names == ["z.png", "a/1.png", "a/2.png", "b/1.png"]


@pytest.mark.parametrize("suffix", ["heic", "HEIF", "jxl"])
def test_images_of_unsupported_formats_are_listed(tmp_path, suffix):
    touch(tmp_path, f"a/x.{suffix}", "b/x.png")
    assert read_folders(tmp_path).names == [f"a/x.{suffix}", "b/x.png"]


def test_hundreds_of_class_folders(tmp_path):
    touch(tmp_path, *[f"{number}/{name}.png" for number in range(300) for name in "ab"])
    records = read_folders(tmp_path)
    assert records.class_names == tuple(map(str, range(300)))
    assert all(name.startswith(f"{label}/") for name, label in zip(records.names, records.labels, strict=True))
