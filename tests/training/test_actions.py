import json
import re
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import yaml

from tl_keras import train
from tl_keras.config import RunConfig
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError, RunStopped
from tl_keras.phases import Phase
from tl_keras.recipes import HEAD_RATE
from tl_keras.training import actions, fitting, preparation


def test_phases_are_printed_in_place_of_a_run_and_read_back(image_folder, tmp_path, capsys):
    flags = ["--data.path", str(image_folder), "--model.weights", "none", "--data.augmentation", "none"]
    train.main([*flags, "--recipe", "linear_probe_then_fine_tune", "--run", str(tmp_path / "run"), "--print_phases"])
    printed = capsys.readouterr().out
    assert "phase 1: reads the output of head.pool, 0.2 MB in memory" in printed
    assert "learning rates of stem: stem 1.2e-05" in printed
    _, text = printed.split("phases:\n")
    file = tmp_path / "phases.yaml"
    file.write_text("phases:\n" + text)
    phases = parse(["--config", str(file)]).phases
    assert [(phase.train, phase.block_decay) for phase in phases] == [("head", 1.0), ("stem", 0.7)]
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("small_network")
def test_several_devices_train_the_phases_that_are_printed(image_folder, tmp_path, capsys, monkeypatch):
    two_devices = SimpleNamespace(
        num_replicas_in_sync=2, extended=SimpleNamespace(worker_devices=("CPU:0", "CPU:1")), scope=nullcontext
    )
    monkeypatch.setattr(preparation, "start_strategy", lambda *_: two_devices)
    trained = []

    def stop(config, model, splits, phases, *rest):
        trained.extend(phases)
        raise RunStopped("Here.")

    monkeypatch.setattr(fitting, "fit_phases", stop)
    flags = ["--data.path", str(image_folder), "--data.image_size", "32", "--recipe", "linear_probe_then_fine_tune"]
    train.main([*flags, "--data.batch_size", "4", "--print_phases"])
    _, text = capsys.readouterr().out.split("phases:\n")
    (tmp_path / "phases.yaml").write_text("phases:\n" + text)
    with pytest.raises(RunStopped):
        train.main([*flags, "--data.batch_size", "4", "--run", str(tmp_path / "run")])
    assert parse(["--config", str(tmp_path / "phases.yaml")]).phases == trained
    assert trained[0].learning_rate == pytest.approx(2**0.5 * HEAD_RATE)


@pytest.mark.usefixtures("small_network")
def test_a_learning_rate_is_searched_in_place_of_a_run(image_folder, tmp_path, capsys):
    flags = ["--data.path", str(image_folder), "--data.image_size", "32", "--recipe", "feature_extraction"]
    train.main([*flags, "--run", str(tmp_path / "run"), "--find_learning_rate"])
    printed = capsys.readouterr().out
    rate = re.search(r"phase head: suggested learning_rate (\S+): use --learning_rate (\S+) \(", printed)
    assert rate and rate[1] == rate[2]
    assert (tmp_path / "run-learning_rate.png").stat().st_size > 0
    assert not (tmp_path / "run").exists()


def test_a_sweep_goes_higher_while_the_loss_falls(monkeypatch):
    ends = []

    def find(learner, batches, highest):
        ends.append(highest)
        return SimpleNamespace(still_falling=highest < 50)

    monkeypatch.setattr(actions.transfer, "find_learning_rate", find)
    actions._sweep(None, None)
    assert ends == [1, 100]


def test_a_suggestion_says_how_it_is_given():
    curve = SimpleNamespace(suggestion=0.0134, remark="")
    assert actions._suggest(RunConfig(phases=[Phase("head")]), curve).endswith(
        "set learning_rate: 0.013 in the first phase"
    )
    assert actions._suggest(RunConfig(), curve) == "suggested learning_rate 0.013: use --learning_rate 0.013"
    nothing = SimpleNamespace(suggestion=None, remark="It never fell.")
    assert actions._suggest(RunConfig(), nothing) == "no rate to suggest. It never fell."


@pytest.mark.parametrize("action", ["print_phases", "find_learning_rate"])
def test_recipe_auto_has_no_phases_before_its_data_are_known(action):
    with pytest.raises(InputError, match=f"^{action} needs a recipe with phases, but auto solves the head"):
        train.main(["--data.path", "a folder that does not exist", f"--{action}"])


@pytest.mark.usefixtures("small_network")
def test_phases_of_a_cluster_are_printed_without_its_other_workers(image_folder, tmp_path, capsys, monkeypatch):
    workers = {"cluster": {"worker": ["localhost:1", "localhost:2"]}, "task": {"type": "worker", "index": 0}}
    flags = ["--data.path", str(image_folder), "--data.image_size", "32", "--recipe", "feature_extraction"]
    train.main([*flags, "--print_phases"])
    alone = yaml.safe_load(capsys.readouterr().out.partition("\nphases:\n")[2])
    monkeypatch.setenv("TF_CONFIG", json.dumps(workers))
    train.main([*flags, "--print_phases"])
    file = tmp_path / "phases.yaml"
    file.write_text("".join(capsys.readouterr().out.partition("\nphases:\n")[1:]))
    [phase] = parse(["--config", str(file)]).phases
    assert phase.learning_rate == pytest.approx(2**0.5 * alone[0]["learning_rate"])
