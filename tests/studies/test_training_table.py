import json

import numpy as np
import pytest

from tl_keras.config.parsing import parse
from tl_keras.data import Records
from tl_keras.errors import InputError
from tl_keras.studies.training_table import train_command, write_training_table


def make_records(sources, labels, splits):
    names = [source.rsplit("/", 1)[-1] for source in sources]
    return Records(sources, names, np.array(labels), splits, ("cat", "dog"))


@pytest.fixture
def folders(tmp_path):
    """Labelled records and a pool in two folders beside each other."""
    data = make_records([str(tmp_path / "data" / "a.png"), str(tmp_path / "data" / "b.png")], [0, 1], ["train", "test"])
    return data, make_records(
        [str(tmp_path / "pool" / "c.png"), str(tmp_path / "pool" / "d.png")], [0, 0], ["test"] * 2
    )


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_images_are_named_from_the_folder_above_all_of_them(folders, tmp_path):
    table = write_training_table(None, *folders, {1: "dog"}, parse([]), tmp_path / "out")
    assert table == tmp_path / "training.jsonl"
    assert read(table) == [
        {"path": "data/a.png", "label": "cat", "split": "train"},
        {"path": "data/b.png", "label": "dog", "split": "test"},
        {"path": "pool/d.png", "label": "dog", "split": "train"},
    ]


def test_a_table_is_extended_and_another_file_is_not_replaced(folders, tmp_path):
    table = write_training_table(None, *folders, {1: "dog"}, parse([]), tmp_path)
    extended = parse(["--data.path", str(table)])
    assert len(read(write_training_table(None, *folders, {0: "cat", 1: "dog"}, extended, tmp_path))) == 4
    with pytest.raises(InputError, match="holds other rows than the new table: give --training_table another path"):
        write_training_table(None, *folders, {1: "dog"}, parse([]), tmp_path)


def test_texts_need_no_common_folder(tmp_path):
    texts = make_records(["=one", "two"], [0, 1], ["", ""])
    table = write_training_table(
        None,
        texts,
        make_records(["three"], [0], ["train"]),
        {0: "new"},
        parse(["--task", "text_classification"]),
        tmp_path / "out",
    )
    assert table == tmp_path / "out" / "training.jsonl"
    assert read(table)[::2] == [{"text": "=one", "label": "cat"}, {"text": "three", "label": "new"}]


def test_invalid_tables_are_refused(folders, tmp_path):
    config = parse([])
    with pytest.raises(InputError, match="does not lie above the image"):
        write_training_table(str(tmp_path / "out" / "t.jsonl"), *folders, {0: "cat"}, config, tmp_path)
    with pytest.raises(InputError, match=r"suffix \.jsonl"):
        write_training_table(str(tmp_path / "t.csv"), *folders, {0: "cat"}, config, tmp_path)
    with pytest.raises(InputError, match="'a.png' is labelled 'dog', but 'cat' in"):
        write_training_table(None, folders[0], folders[0], {0: "dog"}, config, tmp_path)
    encoded = make_records(["x"], [0], [""])
    encoded.sources[0] = b"PNG"
    with pytest.raises(InputError, match="write them to files"):
        write_training_table(None, encoded, folders[1], {}, config, tmp_path)


def test_a_table_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    texts = make_records(["good"], [0], [""])
    config = parse(["--task", "text_classification"])
    with pytest.raises(InputError, match=r"cannot be written .*: give --training_table another path"):
        write_training_table(None, None, texts, {0: "cat"}, config, tmp_path / "file")


def test_names_that_are_not_utf_8_are_escaped(tmp_path):
    pool = make_records([str(tmp_path / "pool" / "\udcff.png"), str(tmp_path / "pool" / "é.png")], [0, 0], [""] * 2)
    table = write_training_table(None, None, pool, {0: "cat", 1: "dog"}, parse([]), tmp_path)
    assert [row["path"] for row in read(table)] == ["\udcff.png", "é.png"]
    assert '"\\udcff.png"' in table.read_text() and '"é.png"' in table.read_text()


def test_the_command_for_a_table_reads_it_as_it_was_written():
    assert train_command(parse(["photos"]), "my photos/training.jsonl") == (
        "python -m tl_keras.train 'my photos/training.jsonl'"
    )
    config = parse(["texts.csv", "--task", "text_classification", "--text.text_column", "review"])
    assert train_command(config, "out/training.jsonl") == (
        "python -m tl_keras.train --task text_classification out/training.jsonl --text.text_column review"
    )
