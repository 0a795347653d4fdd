import numpy as np
import pytest
import tensorflow as tf

from tl_keras.data.boxes import augmentation as box_augmentation
from tl_keras.data.boxes.augmentation import BOX_AUGMENTATIONS, BoxPreset, augment_boxes
from tl_keras.errors import InputError

SIDE = 64


def make_batch(count=4, max_boxes=3):
    """Makes black images with one coloured rectangle and its box each."""
    generator = np.random.default_rng(0)
    images = np.zeros((count, SIDE, SIDE, 3), np.uint8)
    boxes, labels = np.zeros((count, max_boxes, 4), np.float32), np.full((count, max_boxes), -1, np.int32)
    for row in range(count):
        left, top = generator.integers(8, 30, 2)
        width, height = generator.integers(12, 24, 2)
        images[row, top : top + height, left : left + width, row % 3] = 255
        boxes[row, 0] = left, top, left + width, top + height
        labels[row, 0] = row % 3
    return images, boxes, labels


def run(preset, seed=0, **batch):
    results = augment_boxes(*make_batch(**batch), preset, tf.constant([seed, 3], tf.int64))
    return [part.numpy() for part in results]


def coloured_box(image, channel):
    """Returns left, top, right, bottom of the pixels where a channel dominates; None without such pixels."""
    others = np.delete(image, channel, axis=-1).max(axis=-1)
    rows, columns = np.nonzero(image[..., channel] - others > 100)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if len(rows) else None


@pytest.fixture
def plain(monkeypatch):
    """Replaces the presets by ones with a single change, not of colour, so that rectangles can be found."""
    presets = {
        "flip": BoxPreset(),
        "smaller": BoxPreset(scale=(0.6, 0.9)),
        "larger": BoxPreset(scale=(1.1, 1.3)),
        "all_mosaic": BoxPreset(mosaic=1.0),
        "half_mosaic": BoxPreset(mosaic=0.5),
    }
    monkeypatch.setattr(box_augmentation, "BOX_AUGMENTATIONS", presets)


@pytest.mark.parametrize("preset", ["flip", "smaller", "larger"])
@pytest.mark.parametrize("seed", range(3))
def test_boxes_stay_on_their_pixels(plain, preset, seed):
    images, boxes, labels = run(preset, seed, count=8)
    count = 0
    for row in range(8):
        expected = coloured_box(images[row], row % 3)
        if labels[row, 0] >= 0:
            assert labels[row, 0] == row % 3
            np.testing.assert_allclose(boxes[row, 0], expected, atol=1.01)
            count += 1
    assert count >= 6


def test_flips_are_exact_and_affect_half_of_the_images(plain):
    images, boxes, _ = run("flip", count=32)
    original, before, _ = make_batch(32)
    flipped = [not np.array_equal(one, other) for one, other in zip(images, original, strict=True)]
    assert 8 <= sum(flipped) <= 24
    for row in np.flatnonzero(flipped):
        np.testing.assert_array_equal(images[row], original[row][:, ::-1])
        left, top, right, bottom = before[row, 0]
        assert boxes[row, 0].tolist() == [SIDE - right, top, SIDE - left, bottom]


def test_smaller_images_are_padded_with_grey_and_larger_ones_fill_the_frame(plain):
    smaller, larger = run("smaller")[0], run("larger")[0]
    assert ((smaller == 127).all(axis=-1).mean(axis=(1, 2)) > 0.1).all()
    assert not (larger == 127).any()


def test_boxes_that_are_mostly_outside_are_removed(monkeypatch):
    monkeypatch.setattr(box_augmentation, "BOX_AUGMENTATIONS", {"twice": BoxPreset(scale=(2.0, 2.0))})
    _, boxes, labels = run("twice", count=48)
    _, before, _ = make_batch(48)
    shares = [
        np.prod(after[0, 2:] - after[0, :2]) / (4 * np.prod(box[0, 2:] - box[0, :2]))
        for after, box in zip(boxes, before, strict=True)
    ]
    is_kept = labels[:, 0] >= 0
    assert (np.array(shares)[is_kept] >= 0.25 - 1e-4).all() and 0.3 < is_kept.mean() < 0.95


@pytest.mark.parametrize("seed", range(3))
def test_mosaic_boxes_stay_on_their_pixels(plain, seed):
    images, boxes, labels = run("all_mosaic", seed, count=3, max_boxes=4)
    count = 0
    for row in range(3):
        for channel in np.unique(labels[row][labels[row] >= 0]):
            of_class = boxes[row][labels[row] == channel]
            union = [*of_class[:, :2].min(axis=0), *of_class[:, 2:].max(axis=0)]
            seen = coloured_box(images[row], channel)
            # The union of the boxes lies inside, because parts of images whose box was removed may be visible too.
            assert (np.array(union[:2]) >= np.array(seen[:2]) - 1.5).all()
            assert (np.array(union[2:]) <= np.array(seen[2:]) + 1.5).all()
            count += len(of_class)
    assert count >= 6
    assert any(len(np.unique(row[row >= 0])) > 1 for row in labels)


def test_the_probability_of_a_mosaic(plain):
    images, _, labels = run("half_mosaic", count=16, max_boxes=4)
    several = [(row >= 0).sum() > 1 for row in labels]
    assert 3 <= sum(several) <= 13


def test_more_boxes_than_max_boxes_are_removed(plain):
    _, boxes, labels = run("all_mosaic", count=4, max_boxes=1)
    assert labels.shape == (4, 1) and boxes.shape == (4, 1, 4)


@pytest.mark.parametrize("preset", [name for name in BOX_AUGMENTATIONS if name != "none"])
def test_presets(preset):
    images, boxes, labels = run(preset, count=6, max_boxes=5)
    assert images.shape == (6, SIDE, SIDE, 3) and images.dtype == np.float32
    assert images.min() >= 0 and images.max() <= 255
    assert boxes.shape == (6, 5, 4) and boxes.dtype == np.float32 and labels.dtype == np.int32
    assert boxes.min() >= 0 and boxes.max() <= SIDE
    assert (boxes[labels < 0] == 0).all()
    real = boxes[labels >= 0]
    assert (real[:, 2:] - real[:, :2] >= 2).all()
    # Boxes come before padding.
    assert (np.diff((labels >= 0).astype(int), axis=1) <= 0).all()
    for again, part in zip(run(preset, count=6, max_boxes=5), (images, boxes, labels), strict=True):
        np.testing.assert_array_equal(again, part)
    assert not np.array_equal(run(preset, seed=1, count=6, max_boxes=5)[0], images)


@pytest.mark.parametrize("preset", ["light", "mosaic"])
def test_a_batch_of_one_without_boxes(preset):
    images, boxes, labels = run(preset, count=1, max_boxes=2)
    assert images.shape == (1, SIDE, SIDE, 3)
    empty = augment_boxes(np.zeros((1, 8, 8, 3)), np.zeros((1, 2, 4), "float32"), np.full((1, 2), -1), preset, [1, 2])
    assert (empty[2].numpy() == -1).all()


def test_colour_changes_each_image_differently():
    image = np.full((4, 8, 8, 3), 100, np.uint8)
    image[:, ::2, :, 0] = 180
    images = augment_boxes(image, np.zeros((4, 1, 4), "float32"), np.full((4, 1), -1, "int32"), "light", [0, 1])[0]
    means = images.numpy().mean(axis=(1, 2, 3))
    assert len(np.unique(means.round(2))) == 4


def test_unknown_preset_names_the_nearest():
    with pytest.raises(InputError, match="data.augmentation 'mosaik'.*'mosaic'"):
        run("mosaik")
