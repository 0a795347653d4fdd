import json

import pytest

from tl_keras.errors import InputError
from tl_keras.estimators.training_tables import write_images, write_texts


def rows(table):
    return [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]


def test_images_are_links_beside_their_table(image_folder, tmp_path):
    files = sorted((image_folder / "red").iterdir())[:2]
    table = write_images(tmp_path, [str(files[0]), files[1]], ["a", "b"])
    assert [row["label"] for row in rows(table)] == ["a", "b"]
    assert [(tmp_path / row["path"]).resolve() for row in rows(table)] == [file.resolve() for file in files]


def test_texts_of_any_letters_are_kept(tmp_path):
    texts = ['say "hello"\n', "ünï", "half \ud83d"]
    assert [row["text"] for row in rows(write_texts(tmp_path, texts, ["x"] * 3))] == texts


@pytest.mark.parametrize(("write", "examples"), [(write_images, ["missing.png"]), (write_texts, ["a", 3])])
def test_other_examples_are_named_by_their_place(tmp_path, write, examples):
    with pytest.raises(InputError, match=rf"X\[{len(examples) - 1}\] is .*: expected"):
        write(tmp_path, examples, ["x"] * len(examples))
