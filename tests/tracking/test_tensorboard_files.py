import pytest

from tests.tracking.tracked import make_run, track

pytest.importorskip("tensorboard", reason="tensorboard is not installed: pip install '.[track]'")


def test_event_files_hold_curves_settings_and_plots_of_a_resumed_run(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    run = make_run(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        track(["tensorboard"], run, epochs=[1], stop=KeyboardInterrupt())
    track(["tensorboard"], run, epochs=[2])
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    tags = events.Tags()["tensors"]
    losses = [(event.step, float(make_ndarray(event.tensor_proto))) for event in events.Tensors("loss")]
    assert losses == [(1, 1.0), (2, 0.5)]
    assert {"learning_rate/head", "test/accuracy", "history", "warning"} <= set(tags)
    (settings,) = events.Tensors("configuration")
    assert b"| data.batch_size | 8 |" in settings.tensor_proto.string_val[0]
