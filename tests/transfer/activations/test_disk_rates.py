import errno
import os

import pytest

from tl_keras.errors import InputError
from tl_keras.transfer.activations.disk_rates import measure_rates


def test_rates_are_positive_and_no_file_remains(tmp_path):
    write_rate, read_rate = measure_rates(tmp_path)
    assert write_rate > 0 and read_rate > 0
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_reported(tmp_path, monkeypatch):
    def fsync(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(InputError, match=f"{tmp_path.name}': No space left on device"):
        measure_rates(tmp_path)
