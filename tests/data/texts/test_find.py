import subprocess
import sys
from pathlib import Path

import pytest

from tl_keras.data.reading.table_cells import TableColumns
from tl_keras.data.splitting import split_records
from tl_keras.data.texts.find import find_texts
from tl_keras.errors import InputError


@pytest.mark.parametrize(("name", "count"), [("reviews", 2439), ("movie_reviews", 4000)])
def test_shipped_examples(name, count):
    records = find_texts(name)
    assert len(records) == count and records.class_names == ("negative", "positive") and records.notes == ()


def test_splits_and_label_budgets():
    records = split_records(find_texts("reviews"), examples_per_class=8)
    assert len(records.rows("train")) == 16 and len(records.rows("test")) > 300
    whole = split_records(find_texts("reviews"))
    assert [whole.sources[row] for row in whole.rows("test")] == [records.sources[row] for row in records.rows("test")]


def test_folder_and_table(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "1.txt").write_text("hello")
    records = find_texts(tmp_path / "data")
    assert records.class_names == ("a", "b")
    assert records.sources == ["hello", "hello"]
    (tmp_path / "rows.csv").write_text("a,b,kind\nx,y,1\nz,w,2\n")
    pairs = find_texts(tmp_path / "rows.csv", TableColumns(text="a", second_text="b", label="kind"))
    assert pairs.sources == [("x", "y"), ("z", "w")]


def test_a_folder_of_tables_names_them():
    with pytest.raises(InputError, match="give one of .*movie_reviews.csv; .*product_reviews.csv"):
        find_texts(Path(__file__).parents[3] / "data" / "reviews")


def test_a_folder_of_pairs_is_refused(tmp_path):
    with pytest.raises(InputError, match="second_text_column needs a table"):
        find_texts(tmp_path, TableColumns(second_text="b"))


def test_an_example_of_images_is_refused():
    with pytest.raises(InputError, match="'emoji' does not hold texts: give --data.path reviews or movie_reviews"):
        find_texts("emoji")


def test_importing_loads_no_tensorflow():
    code = (
        "import sys, tl_keras.data.texts.find, tl_keras.data.tokens.tokenizing, tl_keras.data.tokens.batch_plan\n"
        "assert not {'tensorflow.python', 'keras.src', 'pandas.core', 'tensorflow_datasets.core'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
