import numpy as np
import pytest

from tl_keras.studies.comparison.tuned import TunedNetwork, recipe_config


@pytest.mark.usefixtures("small_network", "eager")
def test_each_cell_starts_from_the_same_weights_and_one_forward_pass(small_image_data, monkeypatch):
    config, splits = small_image_data
    passes = []
    compute = "tl_keras.transfer.FrozenPart.compute"
    from tl_keras import transfer

    original = transfer.FrozenPart.compute
    monkeypatch.setattr(compute, lambda part, source, stores: passes.append(1) or original(part, source, stores))
    network = TunedNetwork(config, splits, ("fine_tuning", "progressive_unfreezing"), ("3", "all"))
    rows = np.arange(0, 24, 2)
    first, costs = network.train("fine_tuning", rows, 1, forward_seconds=0.5)
    assert costs["steps"] == 2 * 2 and costs["cpu_seconds"] > 0.5 * len(rows)
    network.train("progressive_unfreezing", np.arange(24), 2, forward_seconds=0.5)
    again, _ = network.train("fine_tuning", rows, 1, forward_seconds=0.5)
    np.testing.assert_allclose(again, first, atol=1e-5)
    assert first.shape == (len(splits.test), 3)
    other, _ = network.train("fine_tuning", rows, 2, forward_seconds=0.5)
    assert np.abs(other - first).max() > 1e-3, "the head has other random weights"
    assert len(passes) == 2, "the training and the test examples, once each"


def test_images_are_not_augmented_and_all_labels_train(small_image_data):
    config, _ = small_image_data
    own = recipe_config(config, "fine_tuning")
    assert (own.recipe, own.data.augmentation, own.data.image_size) == ("fine_tuning", "none", 32)
