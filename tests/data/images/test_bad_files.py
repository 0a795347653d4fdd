import pytest

from tests.data.tiny_images import save_image
from tl_keras.data.data_errors import Faults
from tl_keras.data.images.bad_files import add_bad_images, check_max_bad_files, listed, write_skipped
from tl_keras.errors import InputError

SKIPPED = [("a.png", "empty"), ("b.png", "truncated")]


def test_bad_images_are_added_to_other_faults(tmp_path):
    good = save_image(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"x")
    faults = Faults("The table t")
    faults.add("no label", "line 3")
    add_bad_images([good, str(tmp_path / "bad.png"), str(tmp_path / "bad.png")], faults)
    assert faults.places == {
        "no label": ["line 3"],
        "an image that cannot be used": [f"{tmp_path}/bad.png (not an image that can be recognised)"],
    }


@pytest.mark.parametrize(("total", "max_bad_files"), [(200, 0.01), (2, 1.0), (40, 0.05), (20, 0.01)])
def test_few_bad_files_are_allowed(total, max_bad_files):
    check_max_bad_files(SKIPPED, total, max_bad_files)
    check_max_bad_files([], 0, 0.0)


def test_too_many_bad_files_are_refused_with_the_limit_that_would_do():
    message = r"2 of 15 files .*, 13.3%, .* 1 files at most: a.png \(empty\); b.png .* 0.134"
    with pytest.raises(InputError, match=message) as e:
        check_max_bad_files(SKIPPED, 15, 0.01)
    check_max_bad_files(SKIPPED, 15, float(str(e.value).rstrip(".").split()[-1]))


def test_the_limit_is_the_larger_of_a_fraction_and_a_few_files():
    check_max_bad_files(SKIPPED[:1] * 5, 100, 0.01)
    check_max_bad_files(SKIPPED[:1] * 10, 1000, 0.01)
    with pytest.raises(InputError, match="skip allows 5 files at most"):
        check_max_bad_files(SKIPPED[:1] * 6, 100, 0.01)
    with pytest.raises(InputError, match="skip allows 1% at most"):
        check_max_bad_files(SKIPPED[:1] * 11, 1000, 0.01)
    with pytest.raises(InputError, match="skip allows 0% at most"):
        check_max_bad_files(SKIPPED[:1], 100, 0)


def test_further_files_are_counted():
    assert listed([("x", "y")] * 25).endswith("; and 5 more")


def test_skipped_files_are_written_if_there_are_any(tmp_path):
    write_skipped(tmp_path / "skipped.txt", [])
    assert not list(tmp_path.iterdir())
    write_skipped(tmp_path / "skipped.txt", SKIPPED)
    assert (tmp_path / "skipped.txt").read_text() == "a.png\tempty\nb.png\ttruncated\n"
