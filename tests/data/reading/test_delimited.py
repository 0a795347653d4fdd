import csv

import pytest

from tl_keras.data.reading.delimited import read_delimited
from tl_keras.errors import InputError


def write(tmp_path, text, name="data.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_rows_have_the_line_where_they_start(tmp_path, newline):
    lines = ["text , label", '"one', 'two ""three""",a', "", " , ", "last,b", ""]
    header, rows = read_delimited(write(tmp_path, newline.join(lines)))
    assert header == ["text", "label"]
    assert rows == [("line 2", [f'one{newline}two "three"', "a"]), ("line 6", ["last", "b"])]


@pytest.mark.parametrize("header", ["\ufefftext;label", '"text";"label"', "text ; label"])
def test_csv_with_semicolons(tmp_path, header):
    header, rows = read_delimited(write(tmp_path, f'{header}\n"a ""b""; c, d";e\nf, g;h\n'))
    assert (header, [cells for _, cells in rows]) == (["text", "label"], [['a "b"; c, d', "e"], ["f, g", "h"]])


def test_csv_with_commas_and_a_semicolon_in_its_header(tmp_path):
    assert read_delimited(write(tmp_path, "text;comment,label\na,b\n"))[0] == ["text;comment", "label"]


def test_cells_over_128_kilobytes(tmp_path):
    limit = csv.field_size_limit()
    _, rows = read_delimited(write(tmp_path, f"text,label\n{'x ' * 200_000},a\n"))
    assert len(rows[0][1][0]) == 400_000
    assert csv.field_size_limit() == limit


def test_tsv_with_bare_quotes(tmp_path):
    text = 'text\tlabel\n"Fine" they said\ta\n"never closed\tb\n"it is ""good"""\ta\n'
    _, rows = read_delimited(write(tmp_path, text, "data.tsv"))
    assert [cells[0] for _, cells in rows] == ['"Fine" they said', '"never closed', 'it is "good"']


def test_tsv_with_quoted_lines(tmp_path):
    _, rows = read_delimited(write(tmp_path, 'text\tlabel\n"one\ntwo\tthree"\ta\n', "data.tsv"))
    assert rows == [("line 2", ["one\ntwo\tthree", "a"])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('text,label\ngood,a\n"never closed,b\nfine,a\n', "an unclosed double quote in the row that starts at line 3"),
        ('text,label\n"never closed,b\n"fine",a\n', "a double quote out of place in the row that starts at line 2"),
        ('text,label\n"so" to say,b\n', "out of place in the row that starts at line 2"),
        ("text,label\nwell, well,a\nfine,a\n1,2,3\n", r"more cells than columns \(2\) at line 2, line 4: put"),
        ("text,label\nfine,a\nshort\n", r"fewer cells than columns \(2\) at line 3"),
    ],
)
def test_errors_are_one_line_and_name_the_place(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_delimited(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_further_places_are_counted(tmp_path):
    with pytest.raises(InputError, match="line 8, line 9 and 42 more"):
        read_delimited(write(tmp_path, "text,label\n" + "short\n" * 50))


def test_unreadable_file(tmp_path):
    with pytest.raises(InputError, match="Cannot read the table .*nothing.csv"):
        read_delimited(tmp_path / "nothing.csv")
