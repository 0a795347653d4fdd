import base64
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.exporting.image_contents import as_png
from tests.exporting.tiny_sources import IMAGES, NAMES, TEXTS, image_model, text_model
from tl_keras import data
from tl_keras.exporting.saved_model_folder import open_saved_model, write_saved_model


@pytest.fixture(scope="module")
def images_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "1"
    write_saved_model(image_model(), folder, NAMES, "stretch")
    return folder


def test_batches_of_images_give_probabilities_and_class_names(images_folder):
    outputs = open_saved_model(images_folder)(IMAGES)
    np.testing.assert_allclose(outputs["probabilities"], image_model()(IMAGES["images"]), atol=1e-6)
    assert [name.decode() for name in outputs["class_names"][2]] == list(NAMES)


def test_encoded_images_are_decoded_and_resized(images_folder):
    pixels = np.random.default_rng(1).integers(0, 256, (40, 30, 3)).astype("uint8")
    serve = tf.saved_model.load(str(images_folder)).signatures["encoded_images"]
    outputs = serve(image_bytes=tf.constant([as_png(pixels), as_png(pixels[:20])]))
    resized = data.resize_image(pixels, 16)[None].astype("float32")
    np.testing.assert_allclose(outputs["probabilities"][:1], image_model()(resized), atol=1e-3)


def test_texts_are_strings(tmp_path):
    model = text_model(tmp_path)
    write_saved_model(model, tmp_path / "1", NAMES, "stretch")
    outputs = open_saved_model(tmp_path / "1")(TEXTS)
    np.testing.assert_allclose(outputs["probabilities"], model(tf.constant(TEXTS["text"])), atol=1e-6)


def rest(folder, request):
    """Answers a request as both servers do: rows in, rows out, base64 where the name ends in _bytes."""
    serve = tf.saved_model.load(str(folder)).signatures[request.get("signature_name", "serving_default")]
    (_, specs) = serve.structured_input_signature
    columns = {name: [row[name] for row in request["instances"]] for name in specs}
    for name in columns:
        if name.endswith("_bytes"):
            columns[name] = [base64.b64decode(cell["b64"]) for cell in columns[name]]
    outputs = serve(**{name: tf.constant(values, specs[name].dtype) for name, values in columns.items()})
    cells = {name: values.numpy().tolist() for name, values in outputs.items()}
    text = {
        name: [[cell.decode() for cell in row] for row in rows] for name, rows in cells.items() if name == "class_names"
    }
    rows = zip(*(cells | text).values(), strict=True)
    return json.loads(json.dumps({"predictions": [dict(zip(cells, row, strict=True)) for row in rows]}))


def test_the_documented_request_gets_the_documented_response(images_folder):
    pixels = np.full((20, 20, 3), 90, "uint8")
    cell = {"b64": base64.b64encode(as_png(pixels)).decode()}
    request = {"signature_name": "encoded_images", "instances": [{"image_bytes": cell}, {"image_bytes": cell}]}
    first, second = rest(images_folder, request)["predictions"]
    assert first == second and first.keys() == {"probabilities", "class_names"}
    assert first["class_names"] == list(NAMES) and sum(first["probabilities"]) == pytest.approx(1)
    plain = rest(images_folder, {"instances": [{"images": pixels[:16, :16].tolist()}]})["predictions"]
    assert plain[0]["probabilities"] == pytest.approx(first["probabilities"], abs=1e-4)


def post(url, request):
    body = urllib.request.Request(url, json.dumps(request).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(body, timeout=60) as answer:
        return json.load(answer)


@pytest.fixture
def kserve_url(images_folder):
    """Starts the recipe of the documentation, and yields its address."""
    pytest.importorskip("kserve", reason="kserve is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    recipe = Path(__file__).parents[2] / "docs" / "serving" / "kserve_model.py"
    options = ["--model_name", "flowers", "--model_dir", images_folder, "--http_port", port, "--enable_grpc", "false"]
    server = subprocess.Popen([sys.executable, recipe, *map(str, options)], stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{url}/v2/models/flowers/ready", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, "the server has ended"
                time.sleep(1)
        yield url
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.slow
def test_the_server_of_kserve_answers_in_both_protocols(images_folder, kserve_url):
    cells = [{"image_bytes": {"b64": base64.b64encode(as_png(IMAGES["images"][0].astype("uint8"))).decode()}}]
    request = {"signature_name": "encoded_images", "instances": cells}
    assert post(f"{kserve_url}/v1/models/flowers:predict", request) == rest(images_folder, request)
    images = IMAGES["images"][:2]
    tensor = {"name": "images", "shape": list(images.shape), "datatype": "FP32", "data": images.ravel().tolist()}
    answer = post(f"{kserve_url}/v2/models/flowers/infer", {"inputs": [tensor]})
    outputs = {one["name"]: one for one in answer["outputs"]}
    expected = image_model()(images).numpy()
    np.testing.assert_allclose(outputs["probabilities"]["data"], expected.ravel(), atol=1e-6)
    assert outputs["class_names"] | {"parameters": None} == {
        "name": "class_names",
        "shape": [2, 3],
        "datatype": "BYTES",
        "data": list(NAMES) * 2,
        "parameters": None,
    }
