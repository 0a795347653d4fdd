import json

import pytest

from tests.tracking.tracked import make_run, track

wandb_run = pytest.importorskip("tl_keras.tracking.wandb_run", reason="wandb is not installed: pip install '.[track]'")


@pytest.fixture(autouse=True)
def without_key(tmp_path, monkeypatch):
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))


def test_a_run_without_a_key_is_kept_on_disk_and_resumed_by_its_id(tmp_path):
    run = make_run(tmp_path / "flowers")
    with pytest.raises(KeyboardInterrupt):
        track(["wandb"], run, epochs=[1], stop=KeyboardInterrupt())
    track(["wandb"], run, epochs=[2])
    known = json.loads((tmp_path / "flowers" / "tracking.json").read_text())["wandb"]
    files = sorted((tmp_path / "wandb").glob(f"offline-run-*/run-{known}.wandb"))
    assert len(files) == 2
    for needed in (b"learning_rate/head", b"test/accuracy", b"data.batch_size", b"history"):
        assert needed in files[-1].read_bytes()


def test_a_key_is_found_in_the_environment_and_in_the_netrc_file(tmp_path, monkeypatch):
    assert not wandb_run.has_key()
    (tmp_path / "netrc").write_text("machine example.org login user password x\n")
    assert not wandb_run.has_key()
    monkeypatch.setenv("WANDB_BASE_URL", "https://example.org")
    assert wandb_run.has_key()
    monkeypatch.setenv("WANDB_API_KEY", "x")
    monkeypatch.delenv("WANDB_BASE_URL")
    assert wandb_run.has_key()
