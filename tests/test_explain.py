import json
import shutil
import subprocess
import sys

import pytest

from tl_keras import explain
from tl_keras.errors import InputError
from tl_keras.runs.trained_run import TrainedRun


def test_images_are_explained_and_bad_files_named(finished_run, image_folder, tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"not an image")
    files = [str(image_folder / "red" / "red-00.png"), str(tmp_path / "bad.png")]
    with pytest.raises(InputError, match="1 of 2 files could not be read: .*bad.png"):
        explain.main([str(finished_run[0]), *files, "--class", "blue", "--output", str(tmp_path / "out")])
    assert "explained: blue" in capsys.readouterr().out
    (record,) = json.loads((tmp_path / "out" / "explanations.json").read_text())
    assert record["class"] == "blue" and record["method"] == "Grad-CAM"
    assert (tmp_path / "out" / record["plot"]).stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--class", "bleu", "x.png"], "Unknown class 'bleu': did you mean 'blue'"),
        (["missing.png"], "Nothing found at 'missing.png': expected an image"),
        (["I love it"], "Nothing found at 'I love it': expected an image"),
        (
            ["IMAGE", "--max_boxes", "2"],
            "max_boxes is for runs that detect objects, this is one of image",
        ),
        (["IMAGE", "--max_boxes", "two"], "--max_boxes: expected a whole number, such as 5, got"),
        (["IMAGE", "--output", "FILE"], "Cannot write to .*: give --output another folder"),
    ],
)
def test_bad_input_is_one_sentence_before_the_model_is_loaded(
    finished_run, image_folder, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.setattr(TrainedRun, "model", property(lambda run: pytest.fail("the model was loaded")))
    (tmp_path / "file").write_text("")
    places = {"IMAGE": str(image_folder / "red" / "red-00.png"), "FILE": str(tmp_path / "file")}
    with pytest.raises(InputError, match=message):
        explain.main([str(finished_run[0]), *(places.get(part, part) for part in arguments)])


def test_each_row_of_a_table_is_one_image(finished_run, image_folder, tmp_path):
    (tmp_path / "folder.png").mkdir()
    for name in ("red.png", "folder.png/a.png", "y" * 255):
        shutil.copy(image_folder / "red" / "red-00.png", tmp_path / name)
    (tmp_path / "other.csv").write_text("path\nred.png\nred.png\n")
    names = ["red.png", "missing.png", "folder.png", "other.csv", "y" * 255, f"{'x' * 300}.png"]
    (tmp_path / "table.csv").write_text("\n".join(["path", *names]))
    message = (
        "4 of 6 files could not be read: .*missing.png .no such file.*folder.png .not a file.*other.csv .not an image"
    )
    with pytest.raises(InputError, match=message):
        explain.main([str(finished_run[0]), str(tmp_path / "table.csv"), "--output", str(tmp_path / "out")])
    records = json.loads((tmp_path / "out" / "explanations.json").read_text())
    assert [record["plot"] for record in records] == ["001-red.png", f"005-{'y' * 200}.png"]


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not a run folder"):
        explain.main([str(tmp_path), "x.png"])


def test_a_folder_holds_the_explanations_of_one_call(finished_run, image_folder, tmp_path, monkeypatch):
    def explain_files(*files):
        explain.main([str(finished_run[0]), *map(str, files), "--output", str(tmp_path / "out")])
        return sorted(path.name for path in (tmp_path / "out").iterdir())

    red, changing = image_folder / "red" / "red-00.png", tmp_path / "image.png"
    changing.write_bytes(red.read_bytes())
    expected = ["001-image.png", "002-red-00.png", "explanations.json", "made_from.json"]
    assert explain_files(changing, red) == explain_files(changing, red) == expected
    with pytest.raises(InputError, match="results of another call, such as '001-image.png': give a new folder"):
        explain_files(red)
    with monkeypatch.context() as patch:
        patch.setattr("tl_keras.explain.run_origin", lambda run: {"model": "another"})
        with pytest.raises(InputError, match="results of another run or call"):
            explain_files(changing, red)
    changing.write_bytes(b"not an image")
    with pytest.raises(InputError, match="1 of 2 files could not be read"):
        explain_files(changing, red)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == expected[1:]


def test_a_used_folder_is_refused_before_tensorflow_is_loaded(finished_run, image_folder, tmp_path):
    (tmp_path / "001-other.png").touch()
    file = str(image_folder / "red" / "red-00.png")
    code = (
        "import sys\nfrom tl_keras import explain\nfrom tl_keras.errors import InputError\n"
        "try:\n    explain.main(sys.argv[1:])\nexcept InputError as error:\n"
        "    assert 'of another run or call' in str(error), error\n    print('tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(finished_run[0]), file, "--output", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("False\n", "")
