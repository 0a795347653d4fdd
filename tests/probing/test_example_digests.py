import numpy as np
import pytest
from PIL import Image

from tl_keras.data import ImageFiles, TokenSet
from tl_keras.data.images.duplicates import Fingerprints
from tl_keras.errors import InputError
from tl_keras.probing import example_digests

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)


def token_set(*rows, segments=None, owners=None, windows=None, pad_id=0):
    tokens = np.concatenate([*map(np.array, rows)]).astype(np.int32)
    offsets = np.cumsum([0, *map(len, rows)])
    segments = None if segments is None else np.array(segments, np.int8)
    names = [str(row) for row in range(len(rows))]
    owners = None if owners is None else np.array(owners)
    return TokenSet(tokens, offsets, segments, None, names, names, (), pad_id, owners=owners, windows=windows)


@pytest.fixture
def files(tmp_path):
    paths = [str(tmp_path / f"{row}.png") for row in range(len(IMAGES))]
    for path, image in zip(paths, IMAGES, strict=True):
        Image.fromarray(image).save(path)
    return paths


def checked(paths, image_size=8):
    files, fingerprints = ImageFiles(paths, image_size), Fingerprints(len(paths))
    for row in range(len(paths)):
        fingerprints.add(row, files[row])
    return ImageFiles(paths, image_size, digests=fingerprints.digests)


def test_each_image_has_its_own_digest_of_32_bytes():
    digests = example_digests(IMAGES)
    assert [len(digest) for digest in digests] == [32] * 3 and len(set(digests)) == 3
    assert example_digests(IMAGES[[2, 0, 0]]) == [digests[2], digests[0], digests[0]]


def test_the_same_pixels_in_another_shape_have_another_digest():
    assert set(example_digests(IMAGES)).isdisjoint(example_digests(IMAGES.reshape(3, 4, 16, 3)))


def test_checked_files_have_the_digests_of_their_pixels(files):
    assert example_digests(checked(files)) == example_digests(IMAGES)
    assert set(example_digests(checked(files, 9))).isdisjoint(example_digests(IMAGES))


def test_unchecked_files_differ_by_content_size_and_resize(files):
    sets = [ImageFiles(files, 8), ImageFiles(files, 9), ImageFiles(files, 8, "crop")]
    digests = [digest for images in sets for digest in example_digests(images)]
    assert len(set(digests)) == 9 and {len(digest) for digest in digests} == {32}
    with open(files[0], "rb") as file:
        assert example_digests(ImageFiles([file.read()], 8)) == digests[:1]


def test_an_unchecked_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(InputError, match="can no longer be read"):
        example_digests(ImageFiles([str(tmp_path / "gone.png")], 8))


def test_texts_differ_by_tokens_segments_and_padding():
    variants = [
        token_set([1, 2], [1, 3]),
        token_set([1, 2], [1, 3], segments=[0, 0, 0, 0]),
        token_set([1, 2], [1, 3], segments=[0, 1, 0, 1]),
        token_set([1, 2], [1, 3], pad_id=1),
    ]
    digests = [digest for texts in variants for digest in example_digests(texts)]
    assert len(set(digests)) == 8
    assert example_digests(token_set([1, 3], [4], [1, 2])) == [
        digests[1],
        example_digests(token_set([4]))[0],
        digests[0],
    ]


def test_a_text_in_windows_is_digested_by_its_windows():
    def digests(*windows, owners):
        texts = token_set([1, 2, 3, 4, 5], [6], windows=token_set(*windows, owners=owners))
        return example_digests(texts)

    first = digests([1, 2], [3, 4, 5], [6], owners=[0, 0, 1])
    second = digests([1, 2, 3], [4, 5], [6], owners=[0, 0, 1])
    assert first[0] != second[0] != example_digests(token_set([1, 2, 3, 4, 5]))[0]
    assert first[1] == second[1] == example_digests(token_set([6]))[0]
