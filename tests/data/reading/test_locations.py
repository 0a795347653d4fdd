import pytest

from tl_keras.data.reading.locations import find_location
from tl_keras.errors import InputError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.JSONL").write_text("{}")
    (tmp_path / "ready").mkdir()
    for name in ("dataset_info.json", "features.json"):
        (tmp_path / "ready" / name).write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "form"), [("data", "folder"), ("data/rows.JSONL", "table"), ("ready", "prepared"), ("reviews", "table")]
)
def test_form_of_the_data(folder, name, form):
    path = name if name == "reviews" else folder / name
    assert find_location(path, ("reviews",), things="texts").form == form


def test_named_data_set():
    location = find_location("tfds:imdb_reviews", (), things="texts")
    assert (location.form, location.path) == ("tfds", "imdb_reviews")


def test_an_example_of_another_kind():
    with pytest.raises(InputError, match="'emoji' does not hold texts: give --data.path reviews"):
        find_location("emoji", ("reviews",), things="texts")


def test_multi_label_needs_a_table(folder):
    table = folder / "data" / "rows.JSONL"
    assert find_location(table, (), things="texts", table_setting="data.multi_label").form == "table"
    with pytest.raises(InputError, match="multi_label needs a table"):
        find_location(folder / "data", (), things="texts", table_setting="data.multi_label")


def test_a_missing_path_names_the_nearest(folder):
    with pytest.raises(InputError, match="did you mean 'data'"):
        find_location(folder / "date", ("reviews",), things="texts")


def test_a_file_of_another_kind(folder):
    (folder / "a.docx").write_bytes(b"x")
    with pytest.raises(InputError, match="expected a folder or a table"):
        find_location(folder / "a.docx", (), things="texts")


@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 3000, "a\0b", "caf\udce9", "two\nlines"])
def test_names_that_no_file_can_have(name):
    with pytest.raises(InputError, match="Nothing found at") as caught:
        find_location(name, ("reviews",), things="texts")
    assert "\n" not in str(caught.value)


def test_a_folder_without_permission(folder, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(InputError, match="Cannot read the folder .*no permission"):
        find_location(folder / "data", (), things="texts")
