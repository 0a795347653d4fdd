import csv
import io

import pytest

from tl_keras.system.csv_files import open_csv


def test_rows_end_with_one_character_and_cells_keep_theirs(tmp_path):
    cells = ["a\rb", "c\r\n", "d\n", "e"]
    with open_csv(tmp_path / "a.csv") as file:
        csv.writer(file).writerows([cells, cells])
    content = (tmp_path / "a.csv").read_bytes()
    assert content.count(b"e\n") == 2 and b"e\r" not in content
    assert list(csv.reader(io.StringIO(content.decode(), newline=""))) == [cells, cells]


def test_a_file_takes_its_place_only_once_it_is_complete(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), open_csv(path) as file:
        csv.writer(file).writerow(["new"])
        raise ZeroDivisionError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with open_csv(path) as file:
        csv.writer(file).writerow(["half \ud800", "two\nlines"])
    with open(path, encoding="utf-8", errors="surrogatepass", newline="") as file:
        assert list(csv.reader(file)) == [["half \ud800", "two\nlines"]]
