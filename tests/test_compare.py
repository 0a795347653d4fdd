import json
import subprocess
import sys

import pytest

from tl_keras import compare
from tl_keras.errors import InputError
from tl_keras.studies.comparison import scratch
from tl_keras.studies.comparison.terms import CLASSES


@pytest.mark.usefixtures("small_network")
def test_the_verb_trains_every_method_and_says_whether_transfer_pays(image_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(scratch, "STEPS", 2)
    monkeypatch.setattr("tl_keras.models.images.small_network.WIDTHS", (4,))
    out = tmp_path / "out"
    flags = [str(image_folder), "--data.image_size", "32", "--cache.mode", "off", "--seed", "1"]
    compare.main([*flags, "--budgets", "all", "--draws", "1", "--output", str(out), "--price_per_hour", "2"])
    printed = capsys.readouterr().out
    assert "[5/5] scratch, all labels, draw 0: accuracy" in printed and "all cells are finished" in printed
    assert "cannot be decided with 6 test examples" in printed and str(out / "compare.html") in printed
    figures = json.loads((out / "compare.json").read_text())
    assert [cell["method"] for cell in figures["cells"]] == list(CLASSES.methods)
    assert "phase 1/1" in (out / "log.txt").read_text(), "the lines of training are kept apart"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--draws", "0"], "--draws must be between 1 and 1000: got 0."),
        (["--draws", "99999999999"], "--draws must be between 1 and 1000: got 99999999999."),
        (["--price_per_hour", "-1"], "--price_per_hour must be above 0"),
        (["--budgets", "5,x"], "Invalid budget 'x'"),
        (["--methods", "scrach"], "did you mean 'scratch'"),
        (["--budget", "5"], "Unknown flag '--budget': did you mean '--budgets'"),
    ],
)
def test_wrong_flags_are_one_sentence(flags, message):
    with pytest.raises(InputError, match=message):
        compare.main(flags)


def test_wrong_flags_load_no_tensorflow(image_folder, tmp_path):
    code = (
        "import json, sys, tl_keras.compare as verb\n"
        "for flags in json.loads(sys.argv[1]):\n"
        "    try: verb.main(flags)\n"
        "    except ValueError: assert not {'tensorflow', 'keras'} & sys.modules.keys(), flags\n"
        "    else: sys.exit(f'not refused: {flags}')"
    )
    images = [str(image_folder), "--data.image_size", "32"]
    wrong = [
        [*images, "--task", "object_detection", "--methods", "solved_head,scratch"],
        [*images, "--methods", "x"],
        [*images, "--budgets", "5,99999999"],
        ["movie_reviews", "--budgets", "99999999"],
    ]
    arguments = json.dumps([[*flags, "--output", str(tmp_path / "out")] for flags in wrong])
    subprocess.run([sys.executable, "-c", code, arguments], check=True)
