import pytest

from tests.training.automatic.long_texts import write_long_texts
from tl_keras import train
from tl_keras.callbacks import SaveCheckpoints
from tl_keras.config.parsing import parse
from tl_keras.runs.run_folder import RunFolder
from tl_keras.training import preparation
from tl_keras.training.automatic.tuning import COMPARED


@pytest.mark.usefixtures("eager")
def test_few_texts_are_compared_and_an_interrupted_run_ends_alike(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user_cache"))
    flags = write_long_texts(tmp_path)
    runs = [RunFolder(tmp_path / name) for name in ("whole", "resumed")]
    whole, resumed = (parse([*flags, "--run", str(run.path)]) for run in runs)
    built = []
    with monkeypatch.context() as patch:
        patch.setattr(preparation, "build_with_head", lambda *_: built.append("model"))
        train.run_training(whole)
    assert not built, "the network that is compared was built twice"
    output = capsys.readouterr().out
    assert "phase 1/1, training by comparing" in output and f"auto: {COMPARED}: 16 labels" in output
    assert "never trained" not in output and "cross-validation of the solved head, before tuning: accuracy" in output
    assert f"; {COMPARED} |" in (runs[0] / "model_card.md").read_text(encoding="utf-8")
    assert list(runs[0].read_json("history.json")) == ["loss"]
    with monkeypatch.context() as patch:
        save = SaveCheckpoints.on_epoch_end
        patch.setattr(
            SaveCheckpoints, "on_epoch_end", lambda self, epoch, logs=None: stop_after(3, save, self, epoch, logs)
        )
        with pytest.raises(KeyboardInterrupt):
            train.run_training(resumed)
    train.run_training(resumed)
    for name in ("metrics.json", "history.json"):
        assert runs[0].read_json(name) == runs[1].read_json(name)


def stop_after(last, save, callback, epoch, logs):
    save(callback, epoch, logs)
    if epoch == last:
        raise KeyboardInterrupt
