import errno
import os
import signal

import pytest

from tl_keras.errors import InputError, RunStopped
from tl_keras.runs.opening import make_folder, open_run, scratch_run
from tl_keras.system.interruption import Interrupted

CONFIG = "seed: 0\ndata:\n  path: x\n  batch_size: 32\nrun:\n"


def test_a_new_run_records_its_configuration_and_versions(tmp_path):
    with open_run(tmp_path / "deep" / "run", "x", CONFIG) as run:
        assert (run / "config.yaml").read_text() == CONFIG
        assert {"python", "numpy", "tensorflow"} <= run.read_json("versions.json").keys()
        assert not run.finished
        run.write_json("metrics.json", {"accuracy": 1.0})
        assert not run.finished
        run.finish()
        assert run.finished


def test_a_new_folder_is_named_after_the_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_run(None, "tfds:My Flowers!", CONFIG) as first, open_run(None, "tfds:My Flowers!", CONFIG) as second:
        assert first.path != second.path
        assert {run.path.parts[0] for run in (first, second)} == {"runs"}
        assert first.path.name.startswith("tfds-my-flowers-")


def test_a_folder_that_cannot_be_locked_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "run" / ".lock").mkdir(parents=True)
    refusal = pytest.raises(InputError, match="cannot be locked .*: give --run another folder")
    with refusal, open_run(str(tmp_path / "run"), "photos", CONFIG):
        pass


def test_a_run_folder_is_locked_until_the_run_ends(tmp_path):
    refusal = pytest.raises(InputError, match="Another run is working in")
    with open_run(tmp_path, "x", CONFIG), refusal, open_run(tmp_path, "x", CONFIG):
        pass
    with open_run(tmp_path, "x", CONFIG):
        pass


def test_the_lock_is_released_when_the_run_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), open_run(tmp_path, "x", CONFIG):
        raise ZeroDivisionError
    with open_run(tmp_path, "x", CONFIG):
        pass


def test_a_moved_run_is_resumed(tmp_path):
    with open_run(tmp_path / "old", "x", CONFIG) as run:
        run.log("epoch", {"epoch": 1})
    (tmp_path / "old").rename(tmp_path / "new")
    with open_run(tmp_path / "new", "x", CONFIG.replace("run:", "run: new")) as run:
        assert run.read_log("epoch")[0]["epoch"] == 1
        assert (run / "config.yaml").read_text() == CONFIG


@pytest.mark.parametrize(
    ("changed", "keys"),
    [
        (CONFIG.replace("seed: 0", "seed: 1"), "(different: seed)"),
        (CONFIG.replace("32", "16").replace("path: x", "path: y"), "(different: data.batch_size, data.path)"),
        (CONFIG + "new_key: 1\n", "(different: new_key)"),
        ("seed: 0\n", "(different: data)"),
    ],
)
def test_a_changed_configuration_is_refused_with_its_keys(tmp_path, changed, keys):
    with open_run(tmp_path, "x", CONFIG):
        pass
    with pytest.raises(InputError) as refusal, open_run(tmp_path, "x", changed):
        pass
    assert keys in str(refusal.value)
    assert (tmp_path / "config.yaml").read_text() == CONFIG


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(InputError, match="is not empty and holds no run"), open_run(tmp_path, "x", CONFIG):
        pass
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_a_run_killed_while_it_started_can_be_started_again(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / "versions.json").write_text("{")
    with open_run(tmp_path, "x", CONFIG) as run:
        assert (run / "config.yaml").exists()


@pytest.mark.parametrize("path", ["file", "file/run"])
def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path, path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used"), open_run(tmp_path / path, "x", CONFIG):
        pass


def test_invalid_input_leaves_no_files(tmp_path):
    with pytest.raises(InputError, match="bad"), open_run(tmp_path / "runs" / "deep" / "run", "x", CONFIG):
        raise InputError("bad data")
    assert not os.listdir(tmp_path)


def test_invalid_input_keeps_existing_folders_and_other_runs(tmp_path):
    (tmp_path / "runs").mkdir()
    with pytest.raises(InputError, match="bad"), open_run(tmp_path / "runs" / "mine" / "run", "x", CONFIG):
        (tmp_path / "runs" / "mine" / "other").mkdir()
        raise InputError("bad data")
    assert os.listdir(tmp_path / "runs") == ["mine"] and os.listdir(tmp_path / "runs" / "mine") == ["other"]


@pytest.mark.parametrize("own", ["config.yaml", ".lock"])
def test_invalid_input_keeps_the_files_of_the_user(tmp_path, own):
    (tmp_path / own).write_text(CONFIG)
    (tmp_path / "texts.csv").write_text("years of work")
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match="bad"), open_run(tmp_path, "x", CONFIG) as run:
        run.write_json("data.json", {})
        (run / "plots").mkdir()
        raise InputError("bad data")
    assert {path.name: path.read_text() for path in tmp_path.iterdir() if path.name != ".lock"} == {
        name: text for name, text in before.items() if name != ".lock"
    }


def test_a_configuration_in_its_own_run_folder_starts_the_run(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    with open_run(tmp_path, "x", CONFIG) as run:
        assert run.read_json("versions.json")["python"]


def test_a_name_that_is_too_long_is_refused():
    with pytest.raises(InputError, match=r"cannot be used \(File name too long\)"), open_run("x" * 300, "x", CONFIG):
        pass


@pytest.mark.parametrize(
    ("resume", "started", "message"),
    [("must", False, "There is no run to resume"), ("never", True, "There is already a run in")],
)
def test_a_run_that_resume_does_not_allow_is_refused_without_changes(tmp_path, resume, started, message):
    folder = tmp_path / "run"
    if started:
        with open_run(folder, "x", CONFIG):
            pass
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=message), open_run(folder, "x", CONFIG, resume):
        pass
    assert sorted(tmp_path.rglob("*")) == before


def test_resume_may_change_between_start_and_resumption(tmp_path):
    with open_run(tmp_path / "run", "x", f"{CONFIG}resume: never\n", "never"):
        pass
    with open_run(tmp_path / "run", "x", f"{CONFIG}resume: must\n", "must") as run:
        assert (run / "config.yaml").read_text() == f"{CONFIG}resume: never\n"


def test_a_changed_essential_file_is_refused_and_others_are_listed(tmp_path, capsys):
    with open_run(tmp_path, "x", CONFIG) as run:
        (run / "report.html").write_text("page")
        run.finish()
    run.require_unchanged()
    assert capsys.readouterr().err == ""
    (run / "report.html").write_text("another page")
    run.require_unchanged()
    assert capsys.readouterr() == ("", "note: changed since the run was finished: report.html\n")
    (run / "config.yaml").write_text(CONFIG.replace("0", "1"))
    with pytest.raises(InputError, match="have changed or are missing since it was finished: config.yaml;"):
        run.require_unchanged()


def test_checkpoints_survive_an_input_error_of_the_resumed_run(tmp_path):
    with open_run(tmp_path / "run", "x", CONFIG) as run:
        (run / "checkpoints").mkdir()
    with pytest.raises(InputError, match="bad"), open_run(tmp_path / "run", "x", CONFIG):
        raise InputError("bad")
    assert (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_stops_the_run_with_the_command_to_resume(tmp_path, number):
    refusal = pytest.raises(RunStopped, match="The disk is full.* resume with `python -m tl_keras.train")
    with refusal, open_run(tmp_path / "run", "x", CONFIG):
        raise OSError(number, os.strerror(number))
    advice = pytest.raises(InputError, match="give another --cache.folder")
    with advice, open_run(tmp_path / "run", "x", CONFIG):
        raise InputError("No space left on device; give another --cache.folder")
    with pytest.raises(PermissionError), open_run(tmp_path / "run", "x", CONFIG):
        raise PermissionError(errno.EACCES, "no")


def test_a_signal_stops_the_run_with_the_command_to_resume(tmp_path, capsys):
    with pytest.raises(Interrupted), open_run(tmp_path / "run", "x", CONFIG):
        os.kill(os.getpid(), signal.SIGTERM)
    assert "interrupted: resume with `python -m tl_keras.train" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize(
    "lines", [("checkpoint_every: 5m", "checkpoint_every: 1 steps"), ("max_time: 1m", "max_time: 1h")]
)
def test_the_checkpoint_interval_and_the_time_limit_may_change(tmp_path, lines):
    for line in lines:
        with open_run(tmp_path / "run", "x", f"{CONFIG}{line}\n"):
            pass


def test_a_scratch_run_leaves_no_files():
    with scratch_run() as run:
        run.log("epoch", {"epoch": 1})
        assert run.read_log("epoch")[0]["epoch"] == 1
    assert not run.path.exists()


def test_a_run_may_be_resumed_on_other_devices(tmp_path):
    with open_run(tmp_path / "run", "data", "seed: 0\ndistribute: auto\n"):
        pass
    with open_run(tmp_path / "run", "data", "seed: 0\ndistribute: mirrored\n"):
        pass


BOMB = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(40))
DAMAGED = {"empty": "", "a list": "[]", "torn": "a: [", "a bomb": BOMB, "long": "a: 1\n" * 20_000}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_configuration_in_the_folder_is_one_sentence(tmp_path, name):
    (tmp_path / "config.yaml").write_text(DAMAGED[name])
    refusal = pytest.raises(InputError, match="is damaged|is not valid YAML|more than 64000 bytes")
    with refusal as error, open_run(tmp_path, "x", CONFIG):
        pass
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("name", ["versions.json", "data.json", "devices.json"])
def test_a_damaged_record_is_refused_when_the_run_is_resumed(tmp_path, name):
    with open_run(tmp_path, "x", CONFIG) as run:
        run.write_text(name, '{"training": ')
    with pytest.raises(InputError, match=f"{name}.*another folder"), open_run(tmp_path, "x", CONFIG):
        pass


def test_the_note_on_changed_files_is_short(tmp_path, capsys):
    with open_run(tmp_path, "x", CONFIG) as run:
        run.finish()
    with open(tmp_path / "SHA256SUMS", "a") as file:
        file.writelines(f"{'0' * 64}  \x1b[31m{number}{'x' * 1000}\n" for number in range(1000))
    run.require_unchanged()
    note = capsys.readouterr().err
    assert len(note) < 6000 and note.endswith("; and 980 more\n") and "\x1b" not in note


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_to_is_refused_before_there_are_results(tmp_path, monkeypatch, number):
    def refuse(**_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(
        InputError, match=rf"Cannot write results to .* \({os.strerror(number)}\): give --output another"
    ):
        make_folder(tmp_path, "results")
