import pytest

from tl_keras.data.reading.relative_names import MAX_PARTS, relative_names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", ["a.png"]),
        ("deep/a.png", ["deep/a.png"]),
        (r"deep\a.png", [r"deep\a.png", "deep/a.png"]),
        ("./a.png", ["./a.png", "a.png"]),
        ("/x/deep/a.png", ["x/deep/a.png", "deep/a.png", "a.png"]),
        (r"C:\x\a.png", ["x/a.png", "a.png"]),
        ("C:a.png", ["a.png"]),
        (r"\\server\a.png", ["server/a.png", "a.png"]),
        ("../../x/a.png", ["x/a.png", "a.png"]),
        ("x/../a.png", ["a.png"]),
        (r"..\a.png", ["a.png"]),
        ("..", []),
        ("/x" * 90 + "/a.png", ["x/" * count + "a.png" for count in reversed(range(MAX_PARTS))]),
        ("/", []),
    ],
)
def test_names(name, expected):
    assert relative_names(name) == expected
