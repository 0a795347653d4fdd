import numpy as np
import pytest

from tl_keras.data.images.decoding import read_image
from tl_keras.data.images.image_items import find_image_files, merge_rows, predict_files
from tl_keras.errors import InputError


def test_folders_stand_for_the_images_in_and_below_them(image_folder):
    file = str(image_folder / "red" / "red-00.png")
    files = find_image_files([file, str(image_folder)])
    assert files[0] == file and len(files) == 37


def test_missing_files_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="Nothing found at 'nothing.png'"):
        find_image_files(["nothing.png"])
    with pytest.raises(InputError, match="No image found in"):
        find_image_files([str(tmp_path)])


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_every_file_has_a_prediction_or_a_problem_in_order(image_folder, tmp_path, batch_size):
    (tmp_path / "bad.png").write_bytes(b"")
    good = [str(image_folder / "blue" / f"blue-{number:02d}.png") for number in range(4)]
    files = [*good[:3], str(tmp_path / "bad.png"), good[3]]
    sizes = []

    def predict(images):
        sizes.append(len(images))
        assert images.shape[1:] == (16, 16, 3) and images.dtype == np.uint8
        return images.mean(axis=(1, 2, 3))

    results = list(predict_files(files, predict, image_size=16, resize="stretch", batch_size=batch_size))
    assert [file for file, _, _ in results] == files
    assert max(sizes) <= batch_size and sum(sizes) == 4
    assert results[3][1] is None and "empty" in results[3][2]
    for file, prediction, problem in (*results[:3], results[4]):
        assert problem is None and prediction == pytest.approx(read_image(file, 16, "stretch").mean())


def test_a_table_names_images_and_keeps_its_columns(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
    (tmp_path / "table.csv").write_text("id,path\n7,a.png\n8,missing.png\n")
    (tmp_path / "more.jsonl").write_text('{"path": "b.png", "day": [1, 2]}\n')
    files = find_image_files([str(tmp_path / name) for name in ("table.csv", "b.png", "more.jsonl")])
    assert files == [str(tmp_path / name) for name in ("a.png", "missing.png", "b.png", "b.png")]
    nothing = dict.fromkeys(("id", "path", "file", "day"))
    assert [file.cells for file in files] == [
        nothing | {"id": "7", "path": "a.png"},
        nothing | {"id": "8", "path": "missing.png"},
        nothing | {"file": str(tmp_path / "b.png")},
        nothing | {"path": "b.png", "day": [1, 2]},
    ]
    assert type(find_image_files([str(tmp_path / "b.png")])[0]) is str


@pytest.mark.parametrize(
    ("table", "column", "message"),
    [
        ("path\n../a.png\n", "path", "a path out of its folder at line 2"),
        ("path\n/etc/passwd\n", "path", "a path out of its folder at line 2"),
        ("path\na\0.png\n", "path", r"a path that no file can have at line 2 \(a\\x00.png\)"),
        (f"path\n{'a/' * 3000}b.png\n", "path", "a path that no file can have at line 2"),
        ("path,id\n,7\n", "path", "no path at line 2"),
        ("file\na.png\n", "path", "path_column"),
        ("path\n", "path", "has no rows"),
    ],
)
def test_a_table_that_names_no_images_is_refused(table, column, message, tmp_path):
    (tmp_path / "table.csv").write_text(table)
    with pytest.raises(InputError, match=message):
        find_image_files([str(tmp_path / "table.csv")], column)


def test_rows_of_one_image_are_merged(tmp_path):
    rows = ["a.png,0,cat,mon", "a.png,5,dog,mon", "b.png,1,cat,tue"]
    (tmp_path / "table.csv").write_text("\n".join(["path,xmin,label,day", *rows]))
    merged = merge_rows(find_image_files([str(tmp_path / "table.csv")]), {"xmin"})
    assert merged == [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    assert [file.cells for file in merged] == [{"path": "a.png", "day": "mon"}, {"path": "b.png", "day": "tue"}]
    assert merge_rows(["a.png", "b.png", "a.png"], set()) == ["a.png", "b.png"]


def test_a_path_in_json_that_is_no_text_names_no_file(tmp_path):
    table = tmp_path / "table.jsonl"
    table.write_text('{"path": ["a.png"]}\n{"path": 7}\n')
    assert find_image_files([str(table)]) == [str(tmp_path / "['a.png']"), str(tmp_path / "7")]
    table.write_text('{"path": "\\ud800.png"}\n')
    with pytest.raises(InputError, match=r"a path that no file can have at line 1 \(\\ud800.png\)"):
        find_image_files([str(table)])


def test_rows_with_columns_of_their_own_are_refused(tmp_path):
    (tmp_path / "table.jsonl").write_text("".join(f'{{"path": "a.png", "{row}": 1}}\n' for row in range(4000)))
    with pytest.raises(InputError, match="almost empty"):
        find_image_files([str(tmp_path / "table.jsonl")])
