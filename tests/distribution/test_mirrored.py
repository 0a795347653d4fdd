"""Complete trainings on two CPU devices, each in a separate process, which takes seconds to start TensorFlow."""

import json
import signal
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.distribution.processes import assert_equal_runs, finish, flags, start, wait_for
from tests.models.detection.tiny_detectors import rectangles
from tests.models.tiny_encoders import save_preset
from tl_keras import data

SETTINGS = {
    "cached": {},
    "uncached_clipped_weighted": {
        "cache.mode": "off",
        "optimizer.clip_norm": 0.1,
        "data.class_weight": "balanced",
    },
    "several_steps_at_once": {"cache.mode": "off"},
    "averaged": {"optimizer.ema_momentum": 0.9, "cache.mode": "off"},
    "batch_norm": {"batch_norm": "train", "cache.mode": "off"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_two_devices_give_the_weights_of_one(name, image_folder, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    finish(start(flags(image_folder, one, **SETTINGS[name] | {"data.batch_size": 10})))
    more = {"distribute": "mirrored", "steps_per_execution": 2 if name == "several_steps_at_once" else 1}
    printed = finish(start(flags(image_folder, two, **SETTINGS[name] | more), devices=2))
    assert "distribute: mirrored (as asked, 2 CPUs), 2 replicas" in printed
    assert_equal_runs(one, two, tmp_path)


@pytest.mark.slow
def test_two_devices_resume_in_the_middle_of_an_epoch(image_folder, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    finish(start(flags(image_folder, one, **{"data.batch_size": 10})))
    more = {"distribute": "mirrored", "checkpoint_every": "1 steps"}
    stopped = start(flags(image_folder, two, **more), devices=2)
    wait_for("00004-000000001.npz", two / "checkpoints")
    stopped.send_signal(signal.SIGTERM)
    printed, _ = stopped.communicate(timeout=300)
    assert stopped.returncode == 143, printed
    assert "resuming after epoch" in finish(start(flags(image_folder, two, **more), devices=2))
    assert_equal_runs(one, two, tmp_path)


@pytest.mark.slow
def test_two_devices_train_on_texts_like_one(tmp_path):
    generator = np.random.default_rng(0)
    lines = [
        f"{' '.join(generator.choice(['film', 'a', 'very'], n % 9 + 1))},{'yes' if n % 2 else 'no'}" for n in range(46)
    ]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *lines]))
    save_preset(tmp_path / "bert", "bert")
    # Without dropout, which each device draws differently.
    config = tmp_path / "bert" / "config.json"
    config.write_text(config.read_text().replace('"dropout": 0.1', '"dropout": 0.0'))
    settings = {
        "task": "text_classification",
        "model.backbone": tmp_path / "bert",
        "model.weights": "pretrained",
        "text.max_tokens": 32,
        "phases": "[{train: head, epochs: 2}, {train: layer2, epochs: 2}, {train: layer1, epochs: 2}]",
    }
    assert_equal_losses(tmp_path, tmp_path / "texts.csv", settings, ("data.image_size",))


@pytest.mark.slow
def test_two_devices_train_on_boxes_like_one(tmp_path):
    images, targets = rectangles(16)
    buffers = [BytesIO() for _ in images]
    for image, buffer in zip(images, buffers, strict=True):
        Image.fromarray(image).save(buffer, "PNG")
    real = targets["labels"] >= 0
    records = data.BoxRecords(
        sources=[buffer.getvalue() for buffer in buffers],
        names=[str(row) for row in range(16)],
        boxes=[boxes[rows] for boxes, rows in zip(targets["boxes"], real, strict=True)],
        labels=[labels[rows] for labels, rows in zip(targets["labels"], real, strict=True)],
        sizes=np.full((16, 2), 64, np.int32),
        splits=["train"] * 8 + ["validation"] * 4 + ["test"] * 4,
        class_names=("red", "blue"),
    )
    data.write_coco(records, tmp_path / "boxes")
    boxes = {
        "task": "object_detection",
        "detection.detector": "retinanet",
        "detection.channels": 8,
        "detection.anchor_sizes": "[12, 20, 32, 48, 64]",
        "phases": "[{train: block5, epochs: 5, learning_rate: 0.003}, {train: block4, epochs: 6}]",
    }
    assert_equal_losses(tmp_path, tmp_path / "boxes", boxes, ("data.image_size", "model.dropout"))


def assert_equal_losses(tmp_path, path, settings, without):
    """Trains on one device and on two, and compares the losses of all epochs.

    The accuracy may differ because of rounding if two classes are equally probable.
    """
    histories = []
    for devices, size, kind in ((1, 10, "cpu"), (2, 5, "mirrored")):
        folder = tmp_path / kind
        more = {"data.batch_size": size, "distribute": kind} | settings
        arguments = flags(path, folder, **more)
        for name in without:
            position = arguments.index(f"--{name}")
            del arguments[position : position + 2]
        finish(start(arguments, devices=devices))
        histories.append(json.loads((folder / "history.json").read_text()))
    one, two = histories
    losses = [name for name in one if name.endswith("loss")]
    assert {"loss", "val_loss"} <= set(losses)
    for name in losses:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_two_devices_train_in_mixed_precision(precision, image_folder, tmp_path):
    settings = {"precision": precision, "data.batch_size": 6, "data.augmentation": "light", "distribute": "mirrored"}
    printed = finish(start(flags(image_folder, tmp_path / "run", **settings), devices=2))
    assert printed.count("frozen variables bit-identical") == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"optimizer.accumulation_steps": 2}, "optimizer.accumulation_steps does not work on 2 devices"),
        ({"xla": "true"}, "xla does not compile a step on 2 devices"),
        ({"batch_norm": "recalibrate"}, "batch_norm recalibrate runs on one device"),
    ],
)
def test_unsupported_settings_are_refused(setting, message, image_folder, tmp_path):
    process = start([*flags(image_folder, tmp_path / "run", **setting), "--distribute", "mirrored"], devices=2)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 2
    assert f"error: {message}" in printed
