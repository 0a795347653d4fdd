import pytest

from tl_keras.data.texts.folders import read_text_folders
from tl_keras.errors import InputError


def write(root, **texts):
    for name, content in texts.items():
        path = root / (name.replace("__", "/") + ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_layout_of_the_imdb_reviews(tmp_path):
    write(
        tmp_path,
        train__pos__0_9="Good.\n",
        train__neg__0_2="\ufeffBad",
        train__unsup__0_0="Who knows",
        test__pos__1="Yes",
    )
    (tmp_path / "imdb.vocab").write_text("the")
    (tmp_path / "train" / "labeledBow.feat").write_text("1")
    (tmp_path / "train" / "urls_pos.txt").write_text("https://example.org")
    records = read_text_folders(tmp_path)
    assert dict(zip(records.names, records.sources, strict=True)) == {
        "test/pos/1.txt": "Yes",
        "train/neg/0_2.txt": "Bad",
        "train/pos/0_9.txt": "Good.",
    }
    assert records.class_names == ("neg", "pos") and records.labels.tolist() == [1, 0, 1]
    assert records.splits == ["test", "train", "train"]
    assert records.notes == (
        "Left out, for it has no labels: train/unsup.",
        "1 text outside of class folders is not used: train/urls_pos.txt.",
    )


def test_class_folders(tmp_path):
    write(tmp_path, a__1="x", a__deep__2="y", b__1="z")
    records = read_text_folders(tmp_path)
    assert records.sources == ["x", "y", "z"] and records.splits == ["", "", ""] and records.notes == ()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"a__1": "x"}, "got one, 'a': put the texts"),
        ({"a__1": "x", "unsup__1": "y"}, "got one, 'a'"),
        ({"a__1": "x", "b__1": " \n", "b__2": ""}, "no text at b/1.txt, b/2.txt"),
        ({"a__1": "x", "b__1": "a\0b"}, "NUL characters at b/1.txt"),
        (
            {"a__1": "x", "b__1": b"caf\xe9 au lait", "b__2": "y".encode("utf-16")},
            "a text that cannot be read at b/1.txt .*latin-1.*b/2.txt .*UTF-16",
        ),
    ],
)
def test_bad_folders(tmp_path, texts, message):
    write(tmp_path, **texts)
    with pytest.raises(InputError, match=message) as caught:
        read_text_folders(tmp_path)
    assert "\n" not in str(caught.value)


def test_class_folder_without_texts(tmp_path):
    write(tmp_path, a__1="x")
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match=r"no texts in a class folder at b: .*\(.txt\)"):
        read_text_folders(tmp_path)
