import asyncio
import http.client
import json
import os
import shutil
import socket

import pytest

from tl_keras.demo_page.serving import HOST, launch, private_settings
from tl_keras.runs.trained_run import load_run

pytest.importorskip("gradio", reason="the extra demo is not installed: pip install '.[demo]'")


@pytest.fixture(scope="module")
def served(finished_run):
    """Port of a served page, and the folder of its uploads."""
    import importlib

    with private_settings():
        page = importlib.import_module("tl_keras.demo_page.page").build_page([load_run(finished_run[0])])
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        launch(page, port)
        yield port, os.environ["GRADIO_TEMP_DIR"]
        page.close(verbose=False)


def post(port, path, body):
    connection = http.client.HTTPConnection(HOST, port)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


FILE = {"_type": "gradio.FileData"}
VALUES = {
    "a marked path": {"path": "/etc/passwd", "meta": FILE},
    "a path": {"path": "IMAGE"},
    "a path upwards": {"path": "UPLOADS/../../../IMAGE"},
    "a name with ESC": {"path": "/etc/\x1b]0;evil"},
    "a text": "x",
    "a number": {"path": 5},
}


@pytest.mark.parametrize("name", VALUES)
def test_a_forged_value_reads_no_file_and_is_one_line(served, image_folder, capfd, name):
    port, uploads = served
    image = str(image_folder / "red" / "red-00.png")
    body = json.dumps(VALUES[name]).replace("IMAGE", image).replace("UPLOADS", uploads)
    status, answer = post(port, "/gradio_api/run/predict", {"data": [json.loads(body)]})
    assert status == 500 and json.loads(answer)["error"].startswith("The request does not come from this page")
    printed = "".join(capfd.readouterr())
    assert printed.startswith("demo: a request was refused (") and printed.count("\n") == 1 and "\x1b" not in printed


@pytest.mark.parametrize("path", ["/gradio_api/run/nothing", "/gradio_api/run/predict"])
def test_a_forged_address_is_one_line(served, capfd, path):
    status, answer = post(served[0], path, {"data": [], "fn_index": 99})
    assert status == 400 and answer.startswith("The request does not come from this page")
    assert "".join(capfd.readouterr()).count("\n") == 1


def test_an_upload_is_answered(served, image_folder):
    port, uploads = served
    path = shutil.copy(image_folder / "red" / "red-00.png", uploads)
    status, answer = post(port, "/gradio_api/run/predict", {"data": [{"path": path}]})
    assert status == 200 and json.loads(answer)["data"][0]["label"]


def test_an_answer_that_has_started_is_not_answered_again(capsys):
    from tl_keras.demo_page.forged_requests import OneLineErrors

    sent = []

    async def fail_late(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        raise RuntimeError("too late")

    async def send(message):
        sent.append(message["status"])

    asyncio.run(OneLineErrors(fail_late)({"type": "http"}, None, send))
    assert sent == [200] and "RuntimeError: too late" in capsys.readouterr().out
