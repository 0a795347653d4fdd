import numpy as np

from tl_keras.data import ImageSet, TokenSet
from tl_keras.probing import example_digests

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)


def token_set(*rows, segments=None, owners=None, windows=None, pad_id=0):
    tokens = np.concatenate([*map(np.array, rows)]).astype(np.int32)
    offsets = np.cumsum([0, *map(len, rows)])
    segments = None if segments is None else np.array(segments, np.int8)
    names = [str(row) for row in range(len(rows))]
    owners = None if owners is None else np.array(owners)
    return TokenSet(tokens, offsets, segments, None, names, names, (), pad_id, owners=owners, windows=windows)


def image_set(images):
    count = len(images)
    return ImageSet(images, np.zeros(count, int), [str(row) for row in range(count)], ("a",))


def test_each_image_has_its_own_digest_of_32_bytes():
    digests = example_digests(image_set(IMAGES))
    assert [len(digest) for digest in digests] == [32] * 3 and len(set(digests)) == 3
    assert example_digests(image_set(IMAGES[[2, 0, 0]])) == [digests[2], digests[0], digests[0]]


def test_the_same_pixels_in_another_shape_have_another_digest():
    assert set(example_digests(image_set(IMAGES))).isdisjoint(example_digests(image_set(IMAGES.reshape(3, 4, 16, 3))))


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
