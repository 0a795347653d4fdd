import pytest

from tests.callbacks.test_checkpoints import PHASES, build_model
from tl_keras.callbacks.checkpoints import SaveCheckpoints
from tl_keras.callbacks.restoring import Progress, _numbered, restore_newest
from tl_keras.transfer.unfreezing import ProgressiveUnfreezing


def prepared(seed):
    model, unfreezing = build_model(seed), ProgressiveUnfreezing(PHASES, "train")
    unfreezing.prepare(model)
    return model, unfreezing


def test_everything_is_restored_and_reported(tmp_path, capsys):
    model, unfreezing = prepared(0)
    unfreezing.resume(unfreezing.state | {"ends": [2], "best": 0.5, "waited": 1, "rate": 0.1, "steps": 2})
    progress = Progress(3, {"loss": [0.3, 0.2, 0.1]})
    metrics = list(model.layers[-1].weights)
    SaveCheckpoints(tmp_path, progress, unfreezing, model).save(metrics)
    other, resumed = prepared(1)
    restored = restore_newest(tmp_path, other, resumed)
    assert (restored.epochs, restored.history) == (3, progress.history)
    assert [array.tolist() for array in restored.metrics] == [weight.numpy().tolist() for weight in metrics]
    assert resumed.state == unfreezing.state | {"seconds": resumed.state["seconds"]}
    assert resumed.state["rate"] == 0.1
    assert "resuming after epoch 3 and 2 steps" in capsys.readouterr().out
    for one, two in zip(model.variables, other.variables, strict=True):
        assert one.numpy().tobytes() == two.numpy().tobytes()


@pytest.mark.parametrize("name", ["absent", ""])
def test_without_a_checkpoint_there_is_no_progress(tmp_path, name):
    assert restore_newest(tmp_path / name, *prepared(0)) is None


def test_arrays_of_other_names_are_left_out():
    assert _numbered({"best-10": 3, "best-9": 2, "best-x": 1, "best-": 0}, "best-") == [2, 3]
