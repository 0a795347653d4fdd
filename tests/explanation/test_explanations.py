import numpy as np

from tl_keras.explanation import explanations

NAMES = ("cat", "dog")
PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8]], "float32")


def test_each_image_is_explained_by_its_predicted_or_the_named_class(monkeypatch):
    asked = []
    maps = np.zeros((2, 2, 2), "float32")
    maps[0, 0, 1] = 4.0
    monkeypatch.setattr(
        explanations,
        "class_maps",
        lambda model, images, numbers: asked.append(list(numbers)) or (maps, "Grad-CAM"),
    )
    images = np.zeros((2, 8, 8, 3), "uint8")
    found = explanations.explain_images(None, images, PROBABILITIES, NAMES)
    assert [one.class_name for one in found] == ["cat", "dog"]
    # A map where nothing raises the score stays zero.
    assert [one.heat_map.max() for one in found] == [1.0, 0.0]
    named = explanations.explain_images(None, images, PROBABILITIES, NAMES, 1)
    assert asked == [[0, 1], [1, 1]]
    assert (named[0].predicted, named[0].class_name) == ("cat", "dog")
    np.testing.assert_allclose((named[0].probability, named[0].class_probability), (0.9, 0.1), rtol=1e-6)
