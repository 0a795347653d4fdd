import pytest

from tl_keras.runs.opening import open_run
from tl_keras.runs.unfinished import find_unfinished

CONFIG = "seed: 0\ndata:\n  path: x\nrun:\n"
STEM, OLD, NEW = "photos", "photos-20250101-120000", "photos-20250102-120000"


def start(folder, config_text=CONFIG):
    with open_run(folder, "photos", config_text) as run:
        pass
    return run


def test_the_newest_unfinished_run_of_the_configuration_is_found(tmp_path):
    for name in (OLD, NEW, "photos-of-cats-20250103-120000", "photos-mine"):
        start(tmp_path / name)
    assert find_unfinished(tmp_path, STEM, CONFIG.replace("run:", "run: x")) == tmp_path / NEW
    start(tmp_path / NEW).finish()
    assert find_unfinished(tmp_path, STEM, CONFIG) == tmp_path / OLD


def test_runs_that_cannot_be_resumed_are_left_out(tmp_path):
    assert find_unfinished(tmp_path / "missing", STEM, CONFIG) is None
    start(tmp_path / OLD, CONFIG.replace("seed: 0", "seed: 1"))
    (tmp_path / NEW).mkdir()
    assert find_unfinished(tmp_path, STEM, CONFIG) is None
    (tmp_path / NEW / "config.yaml").write_text("{damaged")
    assert find_unfinished(tmp_path, STEM, CONFIG) is None
    (tmp_path / NEW / "config.yaml").unlink()
    (tmp_path / "elsewhere.yaml").write_text(CONFIG)
    (tmp_path / NEW / "config.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    assert find_unfinished(tmp_path, STEM, CONFIG) is None


def test_a_run_that_works_at_this_moment_is_left_out(tmp_path):
    with open_run(tmp_path / OLD, "photos", CONFIG):
        assert find_unfinished(tmp_path, STEM, CONFIG) is None
    assert find_unfinished(tmp_path, STEM, CONFIG) == tmp_path / OLD


def test_the_same_command_without_a_folder_notes_the_run_and_starts_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt), open_run(None, "my photos", CONFIG) as first:
        raise KeyboardInterrupt
    capsys.readouterr()
    with open_run(None, "my photos", CONFIG) as second:
        pass
    note = f"note: an unfinished run of this configuration is in {first.path}: --run {first.path} resumes it\n"
    assert capsys.readouterr().out == note and second.path != first.path
    with open_run(first.path, "my photos", CONFIG):
        pass
    assert capsys.readouterr().out == ""
