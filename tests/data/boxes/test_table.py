import pandas
import pytest

from tests.data.tiny_images import save_image
from tl_keras.data.boxes.find import find_boxes
from tl_keras.data.reading.table_cells import TableColumns
from tl_keras.errors import InputError

HEADER = "path,xmin,ymin,xmax,ymax,label,split\n"
GOOD = HEADER + "a.png,1,2,11.5,12,cat,train\nb.png,,,,,,val\n./a.png,3,3,9,9,dog,train\n"


@pytest.fixture
def write(tmp_path):
    for name in ("a.png", "b.png"):
        save_image(tmp_path / name)

    def make(text, name="boxes.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return make


def test_rows_of_one_image_are_joined(write, tmp_path):
    records = find_boxes(write(GOOD))
    assert records.sources == [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    assert records.boxes[0].tolist() == [[1, 2, 11.5, 12], [3, 3, 9, 9]] and len(records.boxes[1]) == 0
    assert records.labels[0].tolist() == [0, 1] and records.class_names == ("cat", "dog")
    assert records.splits == ["train", "validation"]


def test_other_columns_and_format(write):
    table = write("file\tx\ty\tw\th\tkind\na.png\t1\t2\t30\t20\tcat\n", "boxes.tsv")
    columns = TableColumns(path="file", boxes=("x", "y", "w", "h"), label="kind")
    assert find_boxes(table, columns, box_format="xywh").boxes[0].tolist() == [[1, 2, 31, 22]]


def test_parquet(write, tmp_path):
    write(GOOD)
    pandas.read_csv(tmp_path / "boxes.csv").to_parquet(tmp_path / "boxes.parquet")
    records = find_boxes(tmp_path / "boxes.parquet")
    assert records.boxes[0].tolist() == [[1, 2, 11.5, 12], [3, 3, 9, 9]] and records.splits == ["train", "validation"]


def test_all_problems_are_reported_in_one_message(write):
    text = (
        GOOD + "a.png,1,1,x,9,cat,train\na.png,1,1,5,9,,train\n../c.png,1,1,5,9,cat,\n,1,1,5,9,cat,\nb.png,,,,,,test\n"
    )
    with pytest.raises(InputError) as caught:
        find_boxes(write(text + "c.png,1,1,5,9,cat,train\n"))
    message = str(caught.value)
    for part in (
        "boxes.csv cannot be used",
        "without a number at line 5",
        "no label at line 6",
        "a path out of its folder at line 7 (../c.png)",
        "no path at line 8",
        "an image in two splits at line 9 (b.png)",
        "a missing image at c.png",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,xmin,ymin,xmax,label\na.png,1,1,5,cat\n", "no column 'ymax'"),
        (GOOD.replace(",val", ",vla"), r"an unknown split at line 3 \('vla'\)"),
        (HEADER, "no rows"),
        (HEADER + "a.png,,,,,,\n", "no image has a box"),
    ],
)
def test_bad_tables(write, text, message):
    with pytest.raises(InputError, match=message):
        find_boxes(write(text))
