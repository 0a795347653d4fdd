import pytest

from tests.tracking.tracked import make_run, track

mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed: pip install '.[track]'")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    yield mlflow.MlflowClient(address)


def test_a_resumed_run_is_one_run_with_curves_parameters_and_plots(tmp_path, store):
    run = make_run(tmp_path / "flowers")
    with pytest.raises(KeyboardInterrupt):
        track(["mlflow"], run, epochs=[1], stop=KeyboardInterrupt())
    experiment = store.get_experiment_by_name("tl_keras").experiment_id
    assert [one.info.status for one in store.search_runs(experiment)] == ["KILLED"]
    track(["mlflow"], run, epochs=[2])
    (found,) = store.search_runs(experiment)
    assert (found.info.status, found.info.run_name) == ("FINISHED", "flowers")
    assert found.data.params == {"task": "image_classification", "data.batch_size": "8"}
    assert found.data.metrics["test/accuracy"] == 0.75
    history = store.get_metric_history(found.info.run_id, "loss")
    assert [(one.step, one.value) for one in history] == [(1, 1.0), (2, 0.5)]
    assert {one.path for one in store.list_artifacts(found.info.run_id)} == {"history.png", "warning.txt"}
