import pytest

from tl_keras import label
from tl_keras.errors import InputError


@pytest.mark.usefixtures("small_network")
def test_the_verb_prints_and_writes(image_folder, tmp_path, capsys):
    flags = ["--data.image_size", "32", "--model.weights", "none", "--recipe", "auto", "--cache.mode", "off"]
    label.main(["check", str(image_folder), *flags, "--output", str(tmp_path / "out")])
    assert "labels" in capsys.readouterr().out
    assert (tmp_path / "out" / "label_check.csv").read_text().startswith("name,split,label,suggested,")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chekc", "photos"], "did you mean 'check'"),
        ([], "required: check"),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        label.main(arguments)
