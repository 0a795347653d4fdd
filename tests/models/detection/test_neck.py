import keras
import numpy as np

from tl_keras.models.detection.neck import add_convolved_levels, add_feature_pyramid, add_pooled_level


def pyramid():
    maps = [keras.Input((size, size, channels)) for size, channels in ((8, 3), (4, 5), (2, 7))]
    return maps, add_feature_pyramid(maps, 4)


def test_every_level_has_the_width_of_the_pyramid():
    _, levels = pyramid()
    assert [level.shape for level in levels] == [(None, 8, 8, 4), (None, 4, 4, 4), (None, 2, 2, 4)]


def test_a_level_depends_on_coarser_levels_only():
    maps, levels = pyramid()
    model = keras.Model(maps, levels)
    zeros = [np.zeros((1, *tensor.shape[1:]), "float32") for tensor in maps]
    for source in range(3):
        inputs = [array + (index == source) for index, array in enumerate(zeros)]
        moved = [np.abs(np.asarray(level)).max() > 0 for level in model(inputs)]
        assert moved == [index <= source for index in range(3)]


def test_a_level_is_the_sum_of_lateral_map_and_upsampled_coarser_level():
    maps, levels = pyramid()
    model = keras.Model(maps, levels)
    laterals = [model.get_layer(f"neck.lateral{number}").output for number in range(3)]
    merged = [model.get_layer(f"neck.output{number}").input for number in range(3)]
    arrays = [np.random.default_rng(0).normal(size=(1, *tensor.shape[1:])).astype("float32") for tensor in maps]
    *laterals, fine, middle, coarse = map(np.asarray, keras.Model(maps, [*laterals, *merged])(arrays))
    np.testing.assert_allclose(coarse, laterals[2], atol=1e-6)
    np.testing.assert_allclose(middle, laterals[1] + coarse.repeat(2, 1).repeat(2, 2), atol=1e-5)
    np.testing.assert_allclose(fine, laterals[0] + middle.repeat(2, 1).repeat(2, 2), atol=1e-5)


def test_a_pooled_level_contains_every_second_cell():
    _, levels = pyramid()
    model = keras.Model(levels[-1], add_pooled_level(levels)[-1])
    cells = np.arange(16.0, dtype="float32").reshape(1, 2, 2, 4)
    np.testing.assert_array_equal(model(cells), cells[:, ::2, ::2])


def test_two_convolved_levels_are_added():
    maps, levels = pyramid()
    more = add_convolved_levels(levels, maps[-1], 4)
    assert [level.shape[1] for level in more] == [8, 4, 2, 1, 1]
