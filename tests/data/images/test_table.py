import pandas
import pytest

from tl_keras.data.images.table import read_table
from tl_keras.data.reading.table_cells import TableColumns
from tl_keras.errors import InputError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("1.png", "2.png", "3, 4.png"):
        (tmp_path / "images" / name).write_bytes(b"x")
    return tmp_path


def write(folder, text, name="data.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


GOOD = "path,label,split\nimages/1.png,cat,train\nimages/2.png,dog,val\n"


def test_csv(folder):
    records = read_table(write(folder, GOOD))
    assert records.sources == [str(folder / "images" / "1.png"), str(folder / "images" / "2.png")]
    assert records.names == ["images/1.png", "images/2.png"]
    assert records.class_names == ("cat", "dog")
    assert records.labels.tolist() == [0, 1] and records.labels.dtype == "int32"
    assert records.splits == ["train", "validation"]


def test_images_inside_of_a_parquet_file(folder):
    content = (folder / "images" / "1.png").read_bytes() + b"\0\x89"
    cells = [{"bytes": content, "path": "1.png"}, {"bytes": None, "path": "images/2.png"}]
    pandas.DataFrame({"image": cells, "label": [0, 1]}).to_parquet(folder / "data.parquet")
    columns = TableColumns(path="image")
    records = read_table(folder / "data.parquet", columns)
    assert records.sources == [content, str(folder / "images" / "2.png")]
    assert records.names == ["row 1", "images/2.png"] and records.class_names == ("0", "1")
    pandas.DataFrame({"image": [content, b"images/2.png"], "label": ["", "x"]}).to_parquet(folder / "data.parquet")
    with pytest.raises(InputError, match="no label at row 1") as caught:
        read_table(folder / "data.parquet", columns)
    assert len(str(caught.value)) < 500


def test_backslashes_of_windows(folder):
    records = read_table(write(folder, GOOD.replace("images/", "images\\")))
    assert records.sources == [str(folder / "images" / "1.png"), str(folder / "images" / "2.png")]


def test_byte_order_mark_is_accepted(folder):
    assert read_table(write(folder, GOOD, encoding="utf-8-sig")).class_names == ("cat", "dog")


def test_tsv_other_columns_and_own_column_names(folder):
    table = write(folder, "id\tkind\tfile\n7\tcat\timages/1.png\n8\tdog\timages/2.png\n", "data.tsv")
    records = read_table(table, TableColumns(path="file", label="kind"))
    assert records.class_names == ("cat", "dog") and records.splits == ["", ""]


def test_quoted_commas(folder):
    records = read_table(write(folder, 'path,label\n"images/3, 4.png","cat, small"\nimages/1.png,dog\n'))
    assert records.names[0] == "images/3, 4.png" and records.class_names == ("cat, small", "dog")


def test_a_class_may_be_called_na(folder):
    assert read_table(write(folder, "path,label\nimages/1.png,NA\nimages/2.png,DE\n")).class_names == ("DE", "NA")


def test_parquet_with_numbers_for_labels(folder):
    frame = pandas.DataFrame({"path": ["images/1.png", "images/2.png"], "label": [10, 9], "split": ["test", None]})
    frame.to_parquet(folder / "data.parquet")
    records = read_table(folder / "data.parquet")
    assert records.class_names == ("9", "10")
    assert records.labels.tolist() == [1, 0] and records.splits == ["test", ""]


def test_parquet_without_a_label_is_named_by_row(folder):
    pandas.DataFrame({"path": ["images/1.png", "images/2.png"], "label": ["a", float("nan")]}).to_parquet(
        folder / "data.parquet"
    )
    with pytest.raises(InputError, match="no label at row 2"):
        read_table(folder / "data.parquet")


def test_multi_label(folder):
    table = write(folder, 'path,label\nimages/1.png,red|round\nimages/2.png, round \n"images/3, 4.png",\n')
    records = read_table(table, TableColumns(multi_label=True))
    assert records.class_names == ("red", "round")
    assert records.labels.tolist() == [[1, 1], [0, 1], [0, 0]] and records.labels.dtype == "uint8"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,lable\nimages/1.png,cat\n", "no column 'label'.*--data.label_column lable"),
        ("file,label\nimages/1.png,cat\n", "no column 'path'.*--data.path_column"),
        ("text,label\nfine,good\n", "a table of texts is for --task text_classification; images need a column"),
        ("Review,label\nfine,good\n", "is for --task text_classification --text.text_column Review; images"),
        ("path;label\nimages/1.png;cat\n", "1 class \\(cat\\) where 2 or more"),
        ("", "is empty: expected column names"),
        ("path,label\n", "no rows"),
        ("path,label\nimages/1.png,cat\nimages/2.png,cat\n", "1 class .cat. where 2 or more are expected"),
        ("path,label\nimages/1.png,cat\n\nimages/2.png,\nimages/2.png, \n", "no label at line 4, line 5"),
        ('path,label\n"images/1.png","a\nb"\nimages/2.png,\n', "no label at line 4"),
        ("path,label\n,cat\nimages/2.png,dog\n", "no path at line 2"),
        ("path,label\nimages/1.png,cat\nimages/9.png,dog\nx.png,dog\n", r"line 3 \(images/9.png\), line 4 \(x.png\)"),
        ("path,label\nimages/1.png,cat,tabby\nimages/2.png,dog\n", r"more cells than columns \(2\) at line 2"),
        ("path,label,split\nimages/1.png,cat,trian\nimages/2.png,dog,\n", r"split at line 2 \('trian'\)"),
        ("path,label\n../secret.png,cat\nimages/2.png,dog\n", r"out of its folder at line 2 \(../secret.png\)"),
        ("path,label\n/etc/passwd,cat\nimages/2.png,dog\n", r"out of its folder at line 2 \(/etc/passwd\)"),
        ("path,label\nimages/../../x.png,cat\nimages/2.png,dog\n", "out of its folder at line 2"),
    ],
)
def test_bad_tables(folder, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_table(write(folder, text))
    assert "\n" not in str(caught.value)


def test_own_split_column_must_be_there(folder):
    with pytest.raises(InputError, match="no column 'part'"):
        read_table(write(folder, GOOD), TableColumns(split="part"))


def test_wrong_encoding_names_byte_and_line(folder):
    table = write(folder, "path,label\nimages/1.png,cat\nimages/2.png,Käfer\n", encoding="latin1")
    with pytest.raises(InputError, match="not UTF-8: byte 0xe4 .* line 3"):
        read_table(table)


def test_not_a_parquet_file(folder):
    with pytest.raises(InputError, match="as Parquet"):
        read_table(write(folder, "hello", "data.parquet"))


def test_links_out_of_the_folder_are_followed(folder, tmp_path_factory):
    store = tmp_path_factory.mktemp("store") / "far.png"
    store.write_bytes(b"x")
    (folder / "far.png").symlink_to(store)
    assert len(read_table(write(folder, "path,label\nfar.png,cat\nimages/2.png,dog\n"))) == 2


def test_an_image_out_of_the_folder_is_not_opened(folder, tmp_path_factory, monkeypatch):
    (tmp_path_factory.mktemp("home") / "a.png").write_bytes(b"x")
    opened = []
    monkeypatch.setattr("tl_keras.data.images.table.add_bad_images", lambda paths, faults: opened.extend(paths))
    secret = next(tmp_path_factory.getbasetemp().glob("home*/a.png"))
    with pytest.raises(InputError, match="out of its folder at line 2"):
        read_table(write(folder, f"path,label\n{secret},cat\nimages/2.png,dog\n"))
    assert opened == [str(folder / "images" / "2.png")]
