import pytest

from tl_keras.data.texts.text_items import find_text_items
from tl_keras.errors import InputError


def test_empty_texts_are_left_out_with_a_note(tmp_path, capsys):
    (tmp_path / "texts.txt").write_text("good one\n\n  bad one \n", encoding="utf-8")
    assert find_text_items([str(tmp_path / "texts.txt")], are_files=True) == ["good one", "  bad one "]
    assert capsys.readouterr().err == "note: 1 empty text was left out\n"
    assert find_text_items(["a", "", " "]) == ["a"]
    assert capsys.readouterr().err == "note: 2 empty texts were left out\n"


def test_the_path_of_a_text_file_is_not_taken_for_a_text(tmp_path):
    (tmp_path / "texts.txt").write_text("good one", encoding="utf-8")
    with pytest.raises(InputError, match="is a file: give --files"):
        find_text_items([str(tmp_path / "texts.txt")])


@pytest.mark.parametrize(
    ("content", "message"), [(b"\xff\xfe\x00", "is not UTF-8"), (b"\n \n", "No text found"), (None, "Cannot read")]
)
def test_files_without_readable_texts_are_refused(tmp_path, content, message):
    path = tmp_path / "texts.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        find_text_items([str(path)], are_files=True)
