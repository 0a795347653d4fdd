import json
from contextlib import contextmanager
from types import SimpleNamespace

import pandas
import pyarrow
import pytest
from pyarrow import parquet

from tl_keras.cli import prediction_parts
from tl_keras.cli.prediction_parts import parse_shard, predict_parts
from tl_keras.data.images.image_items import TableImage
from tl_keras.data.texts.text_items import TextItem
from tl_keras.errors import InputError
from tl_keras.tasks.base import PredictionOptions


class Task:
    """Stands in for a task: an item is predicted by its last character, and items with an x are unreadable."""

    def __init__(self):
        self.seen = []

    def predict_items(self, run, items, options):
        for item in items:
            self.seen.append(item)
            item = getattr(item, "text", item)
            yield item, item[-1], "no image" if "x" in item else None

    @contextmanager
    def open_writer(self, run, stream, options):
        yield lambda item, prediction: stream.write(json.dumps({"file": item, "label": prediction}) + "\n")


@pytest.fixture
def run(monkeypatch, tmp_path_factory):
    monkeypatch.setattr(prediction_parts, "ROWS", 2)
    run = SimpleNamespace(task=Task(), folder=tmp_path_factory.mktemp("run"))
    (run.folder / "model.keras").write_text("a")
    run.predict_items = lambda items, options: run.task.predict_items(run, items, options)
    return run


def predict(run, items, folder, shard=(1, 1), **options):
    return predict_parts(run, items, PredictionOptions(**options), str(folder), shard)


def test_parts_hold_all_items_and_the_reasons_of_unreadable_ones(run, tmp_path):
    assert predict(run, ["a", "x", "b"], tmp_path) == 1
    assert len(list(tmp_path.glob("*.parquet"))) == 2
    table = pandas.read_parquet(tmp_path)
    assert table["file"].tolist() == ["a", "x", "b"] and table["problem"].fillna("").tolist() == ["", "no image", ""]
    assert table["label"].fillna("").tolist() == ["a", "", "b"]


def test_names_that_are_not_utf_8_are_escaped(run, tmp_path):
    predict(run, ["\udcffa"], tmp_path)
    assert pandas.read_parquet(tmp_path)["file"].tolist() == ["\\udcffa"]


def test_an_interrupted_command_predicts_only_what_is_missing(run, tmp_path):
    predict(run, ["a", "b", "c", "d"], tmp_path)
    sorted(tmp_path.iterdir())[0].unlink()
    run.task.seen.clear()
    predict(run, ["a", "b", "c", "d"], tmp_path)
    assert run.task.seen == ["a", "b"] and len(pandas.read_parquet(tmp_path)) == 4


def test_other_items_are_refused(run, tmp_path):
    predict(run, ["a", "b"], tmp_path)
    with pytest.raises(InputError, match="of another run, other items or other settings: give --output a new folder"):
        predict(run, ["a", "c"], tmp_path)


def test_other_settings_are_refused(run, tmp_path):
    predict(run, ["a", "b"], tmp_path, min_confidence=0.5)
    predict(run, ["a", "b"], tmp_path, min_confidence=0.5)
    with pytest.raises(InputError, match="other settings"):
        predict(run, ["a", "b"], tmp_path, min_confidence=0.9)


def test_another_run_is_refused(run, tmp_path):
    predict(run, ["a", "b"], tmp_path)
    (run.folder / "model.keras").write_text("b")
    with pytest.raises(InputError, match="of another run"):
        predict(run, ["a", "b"], tmp_path)


@pytest.mark.parametrize("make", [TableImage, lambda name, cells: TextItem(name, cells)], ids=["image", "text"])
def test_edited_columns_beside_the_items_are_refused(run, tmp_path, make):
    predict(run, [make("a", {"day": 1}), make("b", {"day": 2})], tmp_path)
    with pytest.raises(InputError, match="other items"):
        predict(run, [make("a", {"day": 1}), make("b", {"day": 3})], tmp_path)


def test_parts_that_an_earlier_call_had_more_are_refused(run, tmp_path):
    predict(run, ["a", "b", "c"], tmp_path)
    for items, shard in ((["a", "b"], (1, 1)), (["a"], (1, 2))):
        with pytest.raises(InputError, match="part-00000[01].parquet' holds predictions of another run, other items"):
            predict(run, items, tmp_path, shard)


def test_a_repeated_command_still_counts_unreadable_files(run, tmp_path):
    assert predict(run, ["a", "x", "b"], tmp_path) == predict(run, ["a", "x", "b"], tmp_path) == 1


def test_damaged_files_are_one_sentence(run, tmp_path):
    predict(run, ["a", "b"], tmp_path)
    (path,) = tmp_path.iterdir()
    for damaged in (b"", path.read_bytes()[:-20]):
        path.write_bytes(damaged)
        with pytest.raises(
            InputError, match="Cannot read .*part-000000.*: remove it, and its items are predicted again"
        ):
            predict(run, ["a", "b"], tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="no plain file"):
        predict(run, ["a", "b"], tmp_path)


@pytest.mark.parametrize("damage", ["cut", "zeros", "bit"])
def test_a_file_whose_data_are_damaged_is_one_sentence(run, tmp_path, damage):
    predict(run, ["a", "b"], tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    start, end = 4, len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    column = parquet.read_metadata(path).row_group(0).column(0)
    place = column.data_page_offset + column.total_compressed_size // 2
    damaged = {
        "cut": whole[:start] + whole[end - 30 :],
        "zeros": whole[:start] + bytes(end - start) + whole[end:],
        "bit": whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :],
    }
    path.write_bytes(damaged[damage])
    assert parquet.read_schema(path).names, "its description is intact"
    with pytest.raises(InputError, match="Cannot read .*part-000000.*: remove it, and its items are predicted again"):
        predict(run, ["a", "b"], tmp_path)
    path.unlink()
    predict(run, ["a", "b"], tmp_path)
    assert path.read_bytes() == whole


def test_a_file_of_more_rows_than_items_is_refused(run, tmp_path):
    predict(run, ["a", "b"], tmp_path)
    (path,) = tmp_path.iterdir()
    table = parquet.read_table(path)
    parquet.write_table(pyarrow.concat_tables([table, table]), path)
    with pytest.raises(InputError, match="other items"):
        predict(run, ["a", "b"], tmp_path)


def test_shards_share_a_folder(run, tmp_path):
    items = list("abcdefg")
    for number in (1, 2, 3):
        predict(run, items[number - 1 :: 3], tmp_path, (number, 3))
    assert sorted(pandas.read_parquet(tmp_path)["file"]) == items


def test_a_folder_is_needed(run):
    with pytest.raises(InputError, match="give --output a folder"):
        predict_parts(run, ["a"], PredictionOptions(), None, (1, 1))


@pytest.mark.parametrize(("text", "expected"), [(None, (1, 1)), ("3/16", (3, 16)), ("16/16", (16, 16))])
def test_shards_are_numbered_from_one(text, expected):
    assert parse_shard(text) == expected


@pytest.mark.parametrize("text", ["0/4", "5/4", "3", "a/b", "1/2/3", "-1/4"])
def test_impossible_shards_are_refused(text):
    with pytest.raises(InputError, match="expected a number and a count, such as 3/16"):
        parse_shard(text)


def test_an_unreadable_file_of_a_table_keeps_its_columns(run, tmp_path):
    items = [TableImage("a", {"path": "a", "day": [1]}), TableImage("x", {"path": "x", "day": [2]})]
    assert predict(run, items, tmp_path) == 1
    table = pandas.read_parquet(tmp_path)
    assert table["path"].tolist()[1] == "x" and table["day"].tolist()[1] == [2]


UNWRITABLE = {
    "kinds": [1, [1]],
    "a large number": [10**30, 1],
    "objects without keys": [{}, {}],
}


@pytest.mark.parametrize("name", UNWRITABLE)
def test_columns_that_parquet_cannot_hold_are_refused_before_anything_is_predicted(run, tmp_path, name):
    items = [TableImage(item, {"path": item, "n": cell}) for item, cell in zip("ab", UNWRITABLE[name], strict=True)]
    with pytest.raises(InputError, match="cannot be written as Parquet .*: give values of one kind"):
        predict(run, items, tmp_path)
    assert not run.task.seen and not list(tmp_path.iterdir())


def test_a_column_of_the_name_of_the_problems_is_refused(run, tmp_path):
    with pytest.raises(InputError, match="The table has a column 'problem', as the predictions would: rename it"):
        predict(run, [TableImage("a", {"path": "a", "problem": "mine"})], tmp_path)


def test_halves_of_characters_are_escaped_wherever_they_are(run, tmp_path):
    predict(run, [TableImage("x", {"\udc80": [{"\udc80": "\udc80"}]})], tmp_path)
    (row,) = parquet.read_table(tmp_path).to_pylist()
    assert row == {"\\udc80": [{"\\udc80": "\\udc80"}], "problem": "no image"}


def test_more_columns_than_parquet_takes_well_are_refused(run, tmp_path):
    with pytest.raises(InputError, match="has 10,001 columns, more than the 10,000 that are written as Parquet"):
        predict(run, [TableImage("a", dict.fromkeys(map(str, range(10_001))))], tmp_path)
