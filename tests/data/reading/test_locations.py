import pytest

from tl_keras.data.reading.locations import find_place
from tl_keras.errors import InputError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.JSONL").write_text("{}")
    (tmp_path / "made").mkdir()
    for name in ("dataset_info.json", "features.json"):
        (tmp_path / "made" / name).write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "form"), [("data", "folder"), ("data/rows.JSONL", "table"), ("made", "prepared"), ("reviews", "table")]
)
def test_forms(folder, name, form):
    path = name if name == "reviews" else folder / name
    assert find_place(path, ("reviews",), things="texts").form == form


def test_named_data_set():
    place = find_place("tfds:imdb_reviews", (), things="texts")
    assert (place.form, place.where) == ("tfds", "imdb_reviews")


def test_an_example_of_another_kind():
    with pytest.raises(InputError, match="'emoji' does not hold texts: give --data.path reviews"):
        find_place("emoji", ("reviews",), things="texts")


def test_only_tables_say_several_labels(folder):
    assert find_place(folder / "data" / "rows.JSONL", (), things="texts", multi_label=True).form == "table"
    with pytest.raises(InputError, match="multi_label needs a table"):
        find_place(folder / "data", (), things="texts", multi_label=True)


def test_nothing_there_names_the_nearest(folder):
    with pytest.raises(InputError, match="did you mean 'data'"):
        find_place(folder / "date", ("reviews",), things="texts")


def test_a_file_of_another_kind(folder):
    (folder / "a.docx").write_bytes(b"x")
    with pytest.raises(InputError, match="expected a folder or a table"):
        find_place(folder / "a.docx", (), things="texts")


@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 3000, "a\0b", "caf\udce9", "two\nlines"])
def test_names_that_no_file_can_have(name):
    with pytest.raises(InputError, match="Nothing found at") as caught:
        find_place(name, ("reviews",), things="texts")
    assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_read(folder, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(InputError, match="Cannot read the folder .*no permission"):
        find_place(folder / "data", (), things="texts")
