import json
import re
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from tests.conftest import printed_run
from tests.models.small_backbone import small_backbone
from tl_keras import evaluate, train
from tl_keras.adaptation import VALIDATORS
from tl_keras.config.adaptation_config import Validator
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.training import adapting, candidates

PHASES = "[{train: top, epochs: 2, learning_rate: 0.01}]"
CHANGED = "block7"


@pytest.fixture(scope="module")
def target_folder(tmp_path_factory):
    """Paler images of the same three colours."""
    root, generator = tmp_path_factory.mktemp("target"), np.random.default_rng(1)
    for name, colour in {"blue": (90, 100, 220), "green": (90, 200, 100), "red": (220, 90, 100)}.items():
        (root / name).mkdir()
        for number in range(12):
            pixels = np.clip(np.array(colour) + 60 + generator.normal(0, 40, (40, 48, 3)), 0, 255).astype("uint8")
            Image.fromarray(pixels).save(root / name / f"{number:02d}.png")
    return root


def flags(source, target, method, run, **others):
    flags = {
        "--data.path": source,
        "--data.image_size": 32,
        "--data.batch_size": 16,
        "--data.augmentation": "none",
        "--data.test_fraction": 0.25,
        "--model.weights": "none",
        "--phases": PHASES,
        "--adaptation.method": method,
        "--adaptation.target": target,
        "--run": run,
    } | others
    return [str(part) for flag in flags.items() for part in flag]


SETTINGS = {
    "adabn": {"--adaptation.upper_bound": "true", "--data.augmentation": "light", "--cache.views": 2},
    "mcc": {
        "--model.head_blocks": "all",
        "--adaptation.weights": "[1, 2]",
        "--data.augmentation": "light",
        "--cache.views": 2,
    },
}


def share_right(report):
    """Returns the share of correct predictions in the figures below the reliability diagram."""
    table = report.partition('aria-label="Table: reliability"')[2].partition("</table>")[0]
    cells = [float(cell) for cell in re.findall(r'<td class="number">([\d.]+)(?: %)?</td>', table)]
    _, right, examples = (np.array(cells[column::3]) for column in range(3))
    return (right * examples).sum() / examples.sum() / 100


def read(run, name="metrics.json"):
    return json.loads((run / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=SETTINGS)
def adapted(request, image_folder, target_folder, tmp_path_factory):
    """The method of a finished run, its folder and what it printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)
        settings = flags(image_folder, target_folder, request.param, "", **SETTINGS[request.param])
        return request.param, *printed_run(tmp_path_factory.mktemp("adapted") / "run", settings)


def test_a_run_is_adapted_and_says_what_came_of_it(adapted, target_folder, small_network):
    method, run, printed = adapted
    found = read(run)["adaptation"]
    names = [candidate["name"] for candidate in found["candidates"]]
    assert names[0] == "source-only" and len(names) == {"adabn": 2, "mcc": 3}[method]
    admitted = [candidate for candidate in found["candidates"] if candidate["refused"] is None]
    best = max(admitted, key=lambda candidate: candidate["score"])
    assert found["kept"] == best["name"] and f"kept: {best['name']}" in printed
    assert "target: 27 examples without labels, 9 with labels for the report" in printed
    assert "target accuracy: source-only" in printed
    upper_bound = {"upper_bound"} if method == "adabn" else set()
    assert found["target"].keys() == {"source_only", "adapted"} | upper_bound
    assert ("trained on its labels" in printed) == bool(upper_bound)
    assert (run / "domains.png").stat().st_size > 1000
    lines = printed.splitlines()
    assert [line.startswith("adaptation: ") for line in lines].index(True) < [
        line.startswith("source test: accuracy") for line in lines
    ].index(True)
    report, card = ((run / name).read_text(encoding="utf-8") for name in ("report.html", "model_card.md"))
    assert "Features of both domains" in report
    assert f"<dt>Accuracy</dt><dd>{100 * found['target']['adapted']['accuracy']:.1f} %" in report
    assert share_right(report) == pytest.approx(found["target"]["adapted"]["accuracy"], abs=1e-3)
    assert "none is fitted" in report and "The diagrams show the target." in report
    assert f"| Adaptation | to {target_folder.name}: method {method}, kept if better by " in card
    assert "source test: accuracy" in card and "target accuracy: source-only" in card
    # What was saved is what was reported.
    evaluate.main([str(run), "--data", str(target_folder)])
    evaluate.main([str(run)])


@pytest.mark.parametrize("adapted", ["mcc"], indirect=True)
def test_candidates_that_are_done_are_not_repeated_and_labels_of_the_target_never_seen(
    adapted, image_folder, target_folder, tmp_path, monkeypatch, small_network
):
    table = write_relabelled(target_folder, tmp_path / "target")
    run, calls = tmp_path / "run", []
    real = candidates._fit_both_domains

    def fit(domains, weight):
        calls.append(weight)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(domains, weight)

    monkeypatch.setattr(candidates, "_fit_both_domains", fit)
    arguments = flags(image_folder, table, "mcc", run, **SETTINGS["mcc"])
    with pytest.raises(KeyboardInterrupt):
        train.main(arguments)
    train.main(arguments)
    assert calls == [1, 2, 2]
    _, uninterrupted, _ = adapted
    one, other = read(run)["adaptation"], read(uninterrupted)["adaptation"]
    assert one["candidates"] == other["candidates"] and one["kept"] == other["kept"]
    assert one["target"] != other["target"]


def write_relabelled(images, folder):
    """Writes a table of the same images in the same order under other labels, and returns its path."""
    folder.mkdir()
    rows, others = ["path,label"], {"blue": "green", "green": "red", "red": "blue"}
    for image in sorted(images.glob("*/*.png")):
        copy = folder / f"{image.parent.name}-{image.name}"
        copy.write_bytes(image.read_bytes())
        rows.append(f"{copy.name},{others[image.parent.name]}")
    (folder / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder / "labels.csv"


@pytest.mark.usefixtures("small_network", "report")
def test_without_a_better_candidate_the_model_stays(image_folder, target_folder, tmp_path, monkeypatch):
    run = tmp_path / "run"
    # Adaptation that breaks the model.
    monkeypatch.setattr(
        candidates,
        "_fit_both_domains",
        lambda domains, weight: domains.model.set_weights(
            [np.zeros_like(value) for value in domains.model.get_weights()]
        ),
    )
    train.main(flags(image_folder, target_folder, "dann", run, **{"--adaptation.validator": "source_accuracy"}))
    found = read(run)["adaptation"]
    assert found["kept"] == "source-only"
    assert found["target"]["adapted"] == found["target"]["source_only"]
    report = (run / "report.html").read_text(encoding="utf-8")
    assert "found nothing better" in report and "without adaptation, which was not kept" in report


def test_a_target_without_labels_has_no_figures(image_folder, target_folder, tmp_path, capsys, small_network, report):
    run, flat = tmp_path / "run", tmp_path / "flat"
    flat.mkdir()
    for image in target_folder.glob("*/*.png"):
        (flat / f"{image.parent.name}-{image.name}").write_bytes(image.read_bytes())
    train.main(flags(image_folder, flat, "adabn", run))
    assert "target: 36 examples without labels, none with labels" in capsys.readouterr().out
    assert "target" not in read(run)["adaptation"]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert share_right(page) == pytest.approx(read(run)["accuracy"], abs=1e-3)
    assert "The diagrams show the source." in page


def test_a_target_that_is_only_measured_has_the_diagrams_of_the_report(monkeypatch):
    found = {"metrics": {"accuracy": 0.5}, "confidence": ([True, False], [0.9, 0.8])}
    monkeypatch.setattr(adapting, "measure_domains", lambda *_: found)
    config = parse(["--adaptation.masked_epochs", "1", "--adaptation.target", "x", "--task", "text_classification"])
    adapted = adapting.adapt(config, None, None, None, None, None)
    assert adapted.record == {"target": {"source_only": {"accuracy": 0.5}}}
    assert adapted.confidence is found["confidence"]


@pytest.mark.parametrize(
    ("others", "telling"),
    [
        ({"--adaptation.method": "adabm"}, "adaptation.method"),
        ({"--data.batch_size": 4}, "needs statistics of a batch: got data.batch_size 4, expected at least 16"),
        ({"--adaptation.weights": "[0]"}, "adaptation.weights must be numbers above 0"),
        ({"--adaptation.train": "top"}, "adaptation.train has no effect on method adabn"),
    ],
)
def test_bad_settings_are_refused_in_a_sentence(others, telling, tmp_path):
    with pytest.raises(InputError, match=telling):
        parse(flags("emoji", "mnist", "adabn", tmp_path / "run", **others))


def test_texts_have_no_statistics_to_adapt():
    with pytest.raises(InputError, match="text encoders do not have"):
        parse(["--task", "text_classification", "--adaptation.method", "adabn", "--adaptation.target", "x.txt"])


def test_a_target_without_a_method_is_refused():
    with pytest.raises(InputError, match="adaptation.target needs adaptation.method"):
        parse(["--adaptation.target", "mnist"])


def test_the_validators_of_the_configuration_are_those_that_exist():
    assert set(get_args(Validator)) == set(VALIDATORS)
