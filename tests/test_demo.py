import socket

import pytest

from tl_keras import demo
from tl_keras.demo_page import serving
from tl_keras.errors import InputError


class FakeRun:
    """A run of which only the kind of its input is asked."""

    def __init__(self, folder, takes_texts=False, pairs=False):
        self.folder = folder
        self.task = type("Task", (), {"takes_texts": takes_texts})
        text = type("Text", (), {"second_text_column": "b" if pairs else None})
        self.config = type("Config", (), {"text": text})


@pytest.fixture
def with_gradio(monkeypatch):
    monkeypatch.setattr(demo, "require_gradio", lambda: None)


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind((serving.HOST, 0))
        return str(probe.getsockname()[1])


def test_the_page_shows_the_runs_of_the_command_line(finished_run, with_gradio, free_port, monkeypatch):
    served = []
    monkeypatch.setattr(demo, "serve", lambda runs, port: served.append((runs, port)))
    demo.main([str(finished_run[0]), str(finished_run[0]), "--port", free_port])
    ((runs, port),) = served
    assert [run.folder for run in runs] == [finished_run[0]] * 2 and port == int(free_port)


def test_an_unfinished_run_is_refused(tmp_path, with_gradio, free_port):
    (tmp_path / "config.yaml").write_text("task: image_classification\n")
    with pytest.raises(InputError, match="is not finished: resume it with"):
        demo.main([str(tmp_path), "--port", free_port])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (FakeRun("b", takes_texts=True), "The run in 'a' takes images, that in 'b' takes texts: start a demo for each"),
        (FakeRun("b", takes_texts=True, pairs=True), "that in 'b' takes pairs of texts"),
    ],
)
def test_runs_on_other_inputs_do_not_share_a_page(other, message):
    demo.check_same_input([FakeRun("a"), FakeRun("c")])
    with pytest.raises(InputError, match=message):
        demo.check_same_input([FakeRun("a"), other])
