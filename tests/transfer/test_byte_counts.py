import pytest

from tl_keras.transfer.byte_counts import format_bytes


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0.0 MB"), (350_000, "0.3 MB"), (999_000_000, "999.0 MB"), (12_300_000_000, "12.30 GB")]
)
def test_bytes_are_formatted(count, text):
    assert format_bytes(count) == text
