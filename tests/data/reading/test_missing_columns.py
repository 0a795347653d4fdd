from pathlib import Path

import pytest

from tl_keras.data.reading.missing_columns import missing_columns

TEXT, LABEL, PATH = ("text.text_column", "text"), ("data.label_column", "label"), ("data.path_column", "path")


@pytest.mark.parametrize(
    ("missing", "header", "message"),
    [
        (
            [TEXT, LABEL],
            ["txt", "lbl"],
            "has no column 'text' and no column 'label', only 'txt', 'lbl'; did you mean --text.text_column txt? did "
            "you mean --data.label_column lbl?",
        ),
        ([PATH], ["text", "label"], "only 'text', 'label'; a table of texts is for --task text_classification; images"),
        ([PATH], ["message", "label"], "--task text_classification --text.text_column message; images need"),
        ([LABEL], ["a", "zz"], "name the right one with --data.label_column."),
        ([TEXT], ["text|label"], "it seems to have bars between its columns: save it with commas."),
        ([TEXT], [], "x.csv is empty: expected column names"),
    ],
)
def test_the_error_names_all_columns_and_the_nearest_ones(missing, header, message):
    assert message in str(missing_columns(Path("x.csv"), missing, header, []))


def test_columns_of_zeros_and_ones_may_be_the_labels():
    rows = [("line 2", [("red", "0"), ("blue", "1"), ("text", "a")])]
    error = missing_columns(Path("x.csv"), [LABEL], ["red", "blue", "text"], rows)
    assert '--data.label_column "[red, blue]", with --data.multi_label true' in str(error)
