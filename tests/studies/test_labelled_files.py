import json

import numpy as np
import pytest

from tl_keras.config import RunConfig
from tl_keras.config.parsing import parse
from tl_keras.data import Records
from tl_keras.errors import InputError
from tl_keras.studies.labelled_files import read_labels

POOL = Records(["/p/a.png", "/p/=b.png"], ["a.png", "=b.png"], np.zeros(2, int), ["test"] * 2, ("unlabelled",))
TEXTS = Records(["one, two", "three"], ["1", "2"], np.zeros(2, int), ["train"] * 2, ("unlabelled",))


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def annotated(*choices, path="a.png", **extra):
    result = [{"type": "choices", "value": {"choices": list(choices)}}]
    return {"data": {"path": path}, "annotations": [{"result": result, **extra}]}


def test_filled_rows_of_a_table_are_read_and_the_others_wait(tmp_path):
    table = write(tmp_path / "next.csv", "path,label,rank\n'=b.png,dog,1\na.png,,2\n")
    assert read_labels([table], POOL, RunConfig()) == {1: "dog"}


def test_the_escaped_name_of_a_class_is_that_class(tmp_path):
    table = write(tmp_path / "next.csv", "path,label\na.png,'=cat\n'=b.png,=cat\n")
    assert read_labels([table], POOL, RunConfig(), ("=cat", "dog")) == {0: "=cat", 1: "=cat"}


def test_beside_new_classes_the_escaped_name_of_a_class_is_that_class(tmp_path):
    table = write(tmp_path / "next.csv", "path,label\na.png,'=cat\n'=b.png,cow\n")
    assert read_labels([table], POOL, RunConfig(), ("=cat", "dog"), new_classes=True) == {0: "=cat", 1: "cow"}


def test_joiners_of_a_class_stay_in_a_message(tmp_path):
    name = "\u0645\u06cc\u200c\u062e"
    table = write(tmp_path / "next.csv", f"path,label\na.png,{name}\na.png,dog\n")
    with pytest.raises(InputError, match=f"'a.png' 'dog', but .* labels it '{name}'"):
        read_labels([table], POOL, RunConfig())


def test_a_class_with_accents_in_another_encoding_is_that_class(tmp_path):
    table = write(tmp_path / "next.csv", "path,label\na.png,cafe\u0301\n")
    assert read_labels([table], POOL, RunConfig(), ("cafe\u0301", "dog")) == {0: "cafe\u0301"}


def test_texts_and_columns_of_label_studio_are_read(tmp_path):
    table = write(tmp_path / "export.csv", 'text,choice\n"one,  two",good\n')
    assert read_labels([table], TEXTS, parse(["--task", "text_classification"])) == {0: "good"}


def test_annotations_of_label_studio_are_read(tmp_path):
    export = write(
        tmp_path / "export.json", [annotated("cat"), annotated("dog", was_cancelled=True), {"data": {"path": "a.png"}}]
    )
    assert read_labels([export], POOL, RunConfig(), ("cat",)) == {0: "cat"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([annotated("cta")], "did you mean 'cat'.*--new_classes"),
        ([annotated("cat", path="b.png")], "the pool has no example 'b.png'.*did you mean '=b.png'"),
        ([annotated("cat", "dog")], "several labels, cat; dog"),
        ([annotated("cat"), annotated("dog")], r"task 2\) labels 'a.png' 'dog', but .*task 1\) labels it 'cat'"),
        ([annotated()], "No label found"),
        ([{"data": {"image": "x"}}], "Task 1 .* has no text 'path'"),
        (["task"], "Task 1 .* has no text 'path'"),
        ({}, "it holds a dict, expected a list"),
    ],
)
def test_invalid_exports_are_one_sentence(content, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_labels([write(tmp_path / "export.json", content)], POOL, RunConfig(), ("cat", "dog"))


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="expected a table"):
        read_labels([str(tmp_path)], POOL, RunConfig())
    with pytest.raises(InputError, match="several labels"):
        read_labels([write(tmp_path / "a.jsonl", '{"path": "a.png", "label": ["a", "b"]}\n')], POOL, RunConfig())
    with pytest.raises(InputError, match="the pool has no example"):
        read_labels([write(tmp_path / "b.jsonl", '{"path": ["a.png"], "label": "a"}\n')], POOL, RunConfig())
