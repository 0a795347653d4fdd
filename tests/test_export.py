import pytest

from tl_keras import export
from tl_keras.errors import InputError


def test_the_verb_prints_a_table(finished_run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("tl_keras.exporting.latency.ROUNDS", 1)
    export.main([str(finished_run[0]), "--format", "keras", "--output", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-3:]] == ["export", "model.predict", "keras"]
    assert (tmp_path / "model.keras").is_file()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--format", "onxx"], "Unknown --format 'onxx'"),
        (["--format", "keras", "--quantize", "int8"], "--quantize int8 is not for keras"),
        (["--quantise", "int8"], "Unknown flag '--quantise': did you mean '--quantize'"),
        ([], "is not a run folder"),
    ],
)
def test_bad_input_is_one_sentence_before_work_starts(tmp_path, flags, message):
    with pytest.raises(InputError, match=message):
        export.main([str(tmp_path), *flags])
