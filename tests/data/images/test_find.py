import subprocess
import sys
from pathlib import Path

import pytest

from tl_keras.data.images.find import find_records
from tl_keras.data.reading.table_cells import TableColumns
from tl_keras.errors import InputError


@pytest.fixture
def folder(tmp_path):
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True)
        (tmp_path / "data" / name).write_bytes(b"x")
    (tmp_path / "data" / "list.csv").write_text("path,label\na/1.png,x|y\nb/1.png,y\n")
    return tmp_path / "data"


def test_folder(folder):
    assert find_records(str(folder)).class_names == ("a", "b")


def test_table(folder):
    assert find_records(folder / "list.csv", TableColumns(multi_label=True)).class_names == ("x", "y")


def test_shipped_example():
    records = find_records("emoji")
    assert len(records.class_names) == 12 and len(records) > 500


def test_missing_path_names_the_nearest(folder):
    with pytest.raises(InputError, match="did you mean 'data'"):
        find_records(folder.parent / "date")


def test_a_misspelt_example_names_the_nearest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="did you mean 'emoji'"):
        find_records("emojis")


def test_a_file_of_another_kind(folder):
    with pytest.raises(InputError, match="expected a folder or a table"):
        find_records(folder / "a" / "1.png")


def test_multi_label_needs_a_table(folder):
    with pytest.raises(InputError, match="multi_label needs a table"):
        find_records(folder, TableColumns(multi_label=True))


def test_an_example_of_texts_is_refused():
    with pytest.raises(InputError, match="'reviews' does not hold images: give --data.path emoji"):
        find_records("reviews")


def test_importing_loads_no_tensorflow():
    code = (
        "import sys, tl_keras.data.images.find, tl_keras.data.splitting, tl_keras.data.images.image_sets\n"
        "assert not {'tensorflow.python', 'keras.src', 'pandas.core', 'tensorflow_datasets.core'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
