import pytest

from tl_keras import data
from tl_keras.errors import InputError


def test_folders_and_tables_are_listed_without_labels(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("a.png", "deep/b.jpg"):
        (tmp_path / "in" / name).touch()
    records = data.find_pool_images(tmp_path / "in")
    assert sorted(records.names) == ["a.png", "deep/b.jpg"]
    (tmp_path / "t.csv").write_text("path,label\nin/a.png,cat\nmissing.png,\n")
    records = data.find_pool_images(tmp_path / "t.csv")
    assert records.names == ["in/a.png", "missing.png"] and records.sources[0] == str(tmp_path / "in" / "a.png")


def test_pools_without_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="holds no image"):
        data.find_pool_images(tmp_path)
    with pytest.raises(InputError, match="No pool found"):
        data.find_pool_images(tmp_path / "none")
    (tmp_path / "t.csv").write_text("path\n../a.png\n")
    with pytest.raises(InputError, match="a path out of its folder"):
        data.find_pool_images(tmp_path / "t.csv")
