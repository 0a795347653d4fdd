import numpy as np

from tests.data.tiny_images import save_image
from tests.data.tokens.test_sets import make_set
from tl_keras.data.content_digests import content_digests
from tl_keras.data.images.image_sets import ImageLoading, load_image_splits
from tl_keras.data.records import Records


def test_images_have_the_same_digest_in_memory_and_on_disk(tmp_path):
    paths = [save_image(tmp_path / f"{number}.png") for number in range(4)]
    records = Records(paths, paths, np.array([0, 1, 0, 1]), ["train", "train", "test", "test"], ("a", "b"))
    kept = load_image_splits(records, 32)
    read = load_image_splits(records, 32, loading=ImageLoading(max_decoded_bytes=0))
    digests = content_digests(kept.train)
    assert digests == content_digests(read.train) and len(set(digests + content_digests(kept.test))) == 4


def test_texts_are_equal_but_for_spaces():
    records = Records([" so  good", ("a", "b"), ("ab", "")], [""] * 3, np.zeros(3), [""] * 3, ("a",))
    digests = content_digests(records)
    assert len(set(digests)) == 3 and content_digests(records.take([0])) == digests[:1]
    assert content_digests(make_set([2])) == content_digests(Records([""], [""], np.zeros(1), [""], ()))
