import csv

import pytest

from tl_keras.system.csv_files import open_csv


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
