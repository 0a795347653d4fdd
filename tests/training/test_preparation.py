import subprocess
import sys

import pytest

from tests.training.test_replicas import TWO_CPUS
from tl_keras import train
from tl_keras.cli.verbs import run_verb
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import RunFolder
from tl_keras.training import preparation


def test_bad_data_leave_no_run_folder_behind(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as stop:
        run_verb(train.main, ["--data.path", str(tmp_path / "empty"), "--run", str(tmp_path / "run")])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_bad_data_are_refused_before_tensorflow_is_loaded(tmp_path):
    code = (
        "import sys\n"
        "from tl_keras import train\n"
        "try:\n"
        f"    train.main(['--data.path', {str(tmp_path / 'nothing')!r}, '--run', {str(tmp_path / 'run')!r}])\n"
        "except ValueError:\n"
        "    sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def image_flags(image_folder):
    return ["--data.path", str(image_folder), "--data.image_size", "32", "--data.batch_size", "8"]


@pytest.mark.usefixtures("small_network")
def test_a_preparation_holds_what_is_trained(image_folder):
    prepared = preparation.prepare(parse([*image_flags(image_folder), "--recipe", "feature_extraction"]))
    assert (len(prepared.splits.train), prepared.num_replicas, prepared.target) == (24, 1, None)
    assert [phase.train for phase in prepared.phases] == ["head"]
    assert prepared.model.optimizer is not None
    assert prepared.config.data.batch_size == 8


def test_settings_for_one_device_are_refused_before_data_are_read(tmp_path, monkeypatch):
    flags = ["--data.path", str(tmp_path / "nothing"), "--batch_norm", "recalibrate"]
    monkeypatch.setattr(preparation, "start_strategy", lambda *_: TWO_CPUS)
    with pytest.raises(InputError, match="batch_norm recalibrate runs on one device, not on 2 devices"):
        preparation.prepare(parse(flags))


@pytest.mark.usefixtures("small_network")
def test_a_run_records_its_data_and_its_devices(image_folder, tmp_path):
    run = RunFolder(tmp_path)
    preparation.prepare(parse([*image_flags(image_folder), "--recipe", "feature_extraction"]), run=run)
    assert run.read_json("devices.json") == {"replicas": 1}
    assert run.read_json("data.json")["training"] == 24
    other = parse([*image_flags(image_folder), "--seed", "1"])
    with pytest.raises(InputError, match="The data changed"):
        preparation.prepare(other, run=run)
