import base64
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.exporting.tiny_sources import IMAGES, NAMES, TEXTS, image_model, text_model
from tl_keras import data
from tl_keras.exporting.saved_model_folder import decode_image, open_saved_model, write_saved_model


def as_png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


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


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("shape", [(40, 30), (20, 33)])
def test_images_are_resized_as_in_training(resize, shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    pixels = np.stack([rows * 6, columns * 7, rows * 3 + columns * 2], axis=-1).astype("uint8")
    got = decode_image(as_png(pixels), 16, resize).numpy()
    expected = data.resize_image(pixels, 16, resize)
    # Pillow cuts at fractions of pixels.
    assert np.abs(got - expected).max() <= (10 if resize == "crop" else 1)


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
