import shutil
from types import SimpleNamespace

import pytest

from tests.runs.bare_run import make_bare_run
from tl_keras import predict
from tl_keras.cli.former_predictions import record_file, record_path, refuse_other_file
from tl_keras.errors import InputError


@pytest.fixture
def run(tmp_path):
    return make_bare_run(tmp_path / "first", "a")


@pytest.fixture
def output(run, tmp_path):
    """Path of predictions of the run."""
    path = tmp_path / "p.csv"
    path.write_text("file,label_1,probability_1\na.png,cat,0.75\n")
    record_file(str(path), run)
    return path


def test_unchanged_predictions_of_the_same_run_or_a_copy_of_it_may_be_replaced(run, output, tmp_path):
    refuse_other_file(str(output), "csv", run)
    shutil.copytree(run.folder, tmp_path / "moved")
    refuse_other_file(str(output), "csv", SimpleNamespace(folder=tmp_path / "moved"))


def test_predictions_that_somebody_has_changed_stay(run, output):
    output.write_text(output.read_text().replace("cat", "dog"))
    with pytest.raises(InputError, match="p.csv' holds predictions that were changed since .*: give another file, or"):
        refuse_other_file(str(output), "csv", run)


def test_predictions_of_another_run_stay(output, tmp_path):
    with pytest.raises(InputError, match="p.csv' holds predictions of another run: give another file, or remove"):
        refuse_other_file(str(output), "csv", make_bare_run(tmp_path / "second", "b"))


@pytest.mark.parametrize("record", [None, "{}", "[]", "{", "folder"])
def test_a_file_without_a_record_stays(run, output, record):
    record_path(output).unlink()
    if record == "folder":
        record_path(output).mkdir()
    elif record:
        record_path(output).write_text(record)
    with pytest.raises(InputError, match="give (--output )?another file"):
        refuse_other_file(str(output), "csv", run)


def test_a_folder_is_refused_and_a_new_or_an_empty_file_taken(run, tmp_path):
    (tmp_path / "empty").touch()
    for path in (None, str(tmp_path / "empty"), str(tmp_path / "new.csv")):
        refuse_other_file(path, "csv", run)
    for path, shown in ((str(tmp_path), "predictions.csv"), (f"{tmp_path}/new/", "new/predictions.csv")):
        with pytest.raises(InputError, match=f"is a folder: give a file in it, such as .*{shown}'"):
            refuse_other_file(path, "csv", run)
    refuse_other_file(str(tmp_path), "parquet", run)


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "p.csv"])
def test_a_file_of_any_name_has_a_record_of_its_own(run, tmp_path, name):
    path = tmp_path / name
    path.write_text("one")
    record_file(str(path), run)
    refuse_other_file(str(path), "csv", run)
    assert record_path(path).is_file() and record_path(path) != record_path(path.with_name(f"{name[:-1]}z"))


def test_the_standard_output_and_a_device_have_none(run, tmp_path):
    record_file(None, run)
    record_file("/dev/null", run)
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "txt"])
def test_the_command_replaces_what_it_wrote_until_it_is_edited(finished_run, image_folder, tmp_path, suffix):
    output = tmp_path / f"p.{suffix}"
    images = [str(path) for path in sorted((image_folder / "red").iterdir())[:2]]
    for given in (images, images[:1]):
        predict.main([str(finished_run[0]), *given, "--output", str(output)])
    assert images[0] in output.read_text() and images[1] not in output.read_text()
    output.write_text(edited := output.read_text() + "a note\n")
    with pytest.raises(InputError, match="were changed since"):
        predict.main([str(finished_run[0]), *images, "--output", str(output)])
    assert output.read_text() == edited
