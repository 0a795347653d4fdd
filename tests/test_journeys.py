"""Journeys of users, at the sizes that they have: train, predict, evaluate, start again, open the model elsewhere."""

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tl_keras import evaluate, predict, train
from tl_keras.config.config_files import shipped_configs
from tl_keras.config.parsing import parse

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
FEW_IMAGES = ["--data.max_train_images", "4", "--data.batch_size", "2", "--phases", "[{train: neck, epochs: 1}]"]
FEW_EXAMPLES = ["--data.examples_per_class", "2", "--epochs", "4"]
CROWNS = ["--task", "object_detection", "--data.path", "tree_crowns", "--model.weights", "none"]
DETECTORS = {
    f"{detector}_{size}": [*CROWNS, "--detection.detector", detector, "--data.image_size", size]
    for detector, size in [("faster_rcnn", "640"), ("retinanet", "416"), ("yolo_v8", "640"), ("d_fine", "640")]
}
JOURNEYS = {name: ["--config", name] for name in shipped_configs()} | DETECTORS


class Journey:
    """A finished training of few examples and few steps; the images have the size that users train on."""

    def __init__(self, name, folder):
        arguments = JOURNEYS[name]
        self.is_detector = parse(arguments).task == "object_detection"
        self.is_text = parse(arguments).task == "text_classification"
        self.arguments = [*arguments, *(FEW_IMAGES if self.is_detector else FEW_EXAMPLES), "--run", str(folder)]
        self.folder = folder
        self.printed = printed(train.main, self.arguments)
        self.photo = folder.parent / "photo.jpg"
        Image.new("RGB", (500, 400), "green").save(self.photo)


@pytest.fixture(scope="module", params=JOURNEYS)
def journey(request, tmp_path_factory):
    return Journey(request.param, tmp_path_factory.mktemp(request.param) / "run")


def printed(verb, arguments):
    with contextlib.redirect_stdout(io.StringIO()) as stream:
        verb(arguments)
    return stream.getvalue()


def test_the_finished_run_is_predicted_with(journey):
    item = "I love this product!" if journey.is_text else str(journey.photo)
    output = journey.folder.parent / "predictions.jsonl"
    predict.main([str(journey.folder), item, "--format", "jsonl", "--output", str(output)])
    assert len(output.read_text(encoding="utf-8").splitlines()) == 1


def test_it_is_evaluated_to_the_figures_of_its_training(journey):
    evaluate.main([str(journey.folder)])
    files = [journey.folder / name for name in ("metrics.json", "evaluations/test/metrics.json")]
    before, again = (json.loads(path.read_text(encoding="utf-8")) for path in files)
    name = "mean_average_precision" if journey.is_detector else "accuracy"
    assert again[name] == pytest.approx(before[name], abs=1e-3)


def test_the_same_command_trains_nothing_again(journey):
    before = (journey.folder / "SHA256SUMS").read_bytes()
    assert "nothing is trained" in printed(train.main, journey.arguments)
    assert (journey.folder / "SHA256SUMS").read_bytes() == before


def test_the_code_of_the_model_card_runs_without_this_package(journey, tmp_path):
    folder = shutil.copytree(journey.folder, tmp_path / "copy")
    shutil.copy(journey.photo, folder)
    code = re.search(r"```python\n(.*?)```", (folder / "model_card.md").read_text(encoding="utf-8"), re.DOTALL)
    run_python(f"import sys\nsys.modules['tl_keras'] = None\n{code.group(1)}", folder)


def test_the_model_opens_in_keras(journey):
    # Keras knows the layers of these modules only once they are imported.
    modules = "keras_hub" if journey.is_text else "tl_keras.models.detection.building" if journey.is_detector else "os"
    opened = f"keras.models.load_model({str(journey.folder / 'model.keras')!r})"
    run_python(f"import keras, {modules}\n{opened}.summary()", ROOT)


def run_python(code, folder):
    result = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
