import subprocess
import sys

import pytest

from tl_keras import recommend
from tl_keras.errors import InputError


@pytest.mark.usefixtures("small_network")
def test_the_verb_ranks_and_says_how_to_train(image_folder, tmp_path, capsys):
    flags = ["--data.path", str(image_folder), "--data.image_size", "32", "--model.weights", "none"]
    flags += ["--recipe", "auto", "--cache.mode", "off", "--output", str(tmp_path / "out")]
    recommend.main(["--backbones", "vgg16, efficientnet_lite0", *flags])
    out = capsys.readouterr().out
    assert "| vgg16" in out and "| efficientnet_lite0" in out
    assert out.splitlines()[-1] == f"next: python -m tl_keras.train --config {tmp_path / 'out' / 'train.yaml'}"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--verify", "-1"], "--verify must be at least 0: got -1."),
        (["--verify", "two"], "--verify: expected a whole number, such as 5, got 'two'"),
        (["--backbone", "vgg16"], "Unknown flag '--backbone': did you mean '--backbones'"),
    ],
)
def test_wrong_flags_are_one_sentence(flags, message):
    with pytest.raises(InputError, match=message):
        recommend.main(flags)


def test_unknown_backbones_load_no_tensorflow():
    code = (
        "import sys, tl_keras.recommend as verb\n"
        "try: verb.main(['photos', '--backbones', 'typo'])\n"
        "except ValueError: sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)\n"
        "sys.exit('nothing was refused')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
