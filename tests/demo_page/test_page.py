import http.client
import os
import socket
from pathlib import Path

import pytest

from tl_keras.demo_page.serving import HOST, launch, private_settings
from tl_keras.errors import InputError
from tl_keras.runs.trained_run import load_run

pytest.importorskip("gradio", reason="the extra demo is not installed: pip install '.[demo]'")


@pytest.fixture(scope="module")
def page_module():
    import importlib

    with private_settings():
        yield importlib.import_module("tl_keras.demo_page.page")


def test_two_runs_have_their_outputs_side_by_side(finished_run, page_module):
    runs = [load_run(finished_run[0])] * 2
    components = page_module.build_page(runs).config["components"]
    kinds = [component["type"] for component in components]
    assert kinds.count("label") == 2 and kinds.count("image") == 3 and kinds.count("dataset") == 1


def test_an_image_is_answered_and_others_are_refused(finished_run, image_folder, page_module):
    import gradio

    run = load_run(finished_run[0])
    prediction, image, note = page_module.answer_with(run, [str(image_folder / "red" / "red-00.png")])
    assert sum(prediction.values()) == pytest.approx(1) and image.shape[2] == 3 and note.startswith("Red parts")
    assert page_module.answer_with(run, [None]) == (None, None, "")
    with pytest.raises(gradio.Error, match="README"):
        page_module.answer_with(run, ["README.md"])


@pytest.mark.parametrize("row", [None, 3, [], ["dog"], ["dog", "x"], ["dog", 0.5, [1], 2, 3, 4]])
def test_a_forged_row_of_detections_is_refused_in_one_sentence(page_module, monkeypatch, row):
    import gradio

    def no_such_detection(run, path, row):
        raise InputError("The detection belongs to another image")

    monkeypatch.setattr(page_module, "explain_object", no_such_detection)
    with pytest.raises(gradio.Error, match="does not come from this page|belongs to another image"):
        page_module.explain_with(None, "x.png", row)
    assert page_module.explain_with(None, None, row) == (None, "")


def test_a_text_named_png_is_refused_in_one_sentence(finished_run, page_module):
    import gradio

    path = Path(os.environ["GRADIO_TEMP_DIR"], "text.png")
    path.write_text("no image")
    with gradio.Blocks():
        (image,) = page_module._add_inputs(load_run(finished_run[0]))
    upload = gradio.data_classes.ImageData(path=str(path), orig_name="text.png")
    with pytest.raises(gradio.Error, match="not an image that can be recognised"):
        page_module.answer_with(load_run(finished_run[0]), [image.preprocess(upload)])


def test_the_page_answers_under_local_names_only(page_module):
    import gradio

    with gradio.Blocks() as page:
        gradio.Markdown("here")
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    launch(page, port)
    try:
        for host, status in ((f"localhost:{port}", 200), (f"127.0.0.1:{port}", 200), (f"evil.example:{port}", 403)):
            connection = http.client.HTTPConnection(HOST, port)
            connection.request("GET", "/", headers={"Host": host})
            assert connection.getresponse().status == status
    finally:
        page.close(verbose=False)
