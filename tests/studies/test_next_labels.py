import shutil

import numpy as np
import pytest

from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.studies import pool_features
from tl_keras.studies.next_labels import choose_next
from tl_keras.studies.pools import find_pool

FLAGS = ["--data.image_size", "32", "--model.weights", "none", "--recipe", "auto"]


def chosen_from(config, path, count, has_labels):
    return choose_next(config, find_pool(config, path, count), count, has_labels)


@pytest.fixture
def pool(image_folder, tmp_path):
    """Folder of the images of all classes, without class folders, and a file that is no image."""
    folder = tmp_path / "pool"
    folder.mkdir()
    for path in image_folder.glob("*/*.png"):
        shutil.copy(path, folder)
    (folder / "broken.png").write_text("no image")
    return folder


@pytest.mark.usefixtures("small_network")
def test_typical_images_of_each_cluster_come_first_without_labels(pool, tmp_path, monkeypatch):
    config = parse([*FLAGS, "--cache.folder", str(tmp_path / "cache")])
    chosen = chosen_from(config, pool, 3, has_labels=False)
    assert {name[:3] for name in chosen.records.names} == {"red", "blu", "gre"}
    assert chosen.probabilities is None and len(chosen.images) == 3
    assert (chosen.pool_size, chosen.labelled, [name for name, _ in chosen.skipped]) == (36, 0, ["broken.png"])
    # In chunks, with the features that the first call stored.
    monkeypatch.setattr(pool_features, "CHUNK", 16)
    assert len(chosen_from(config, pool, 3, has_labels=False).records) == 3


@pytest.mark.usefixtures("small_network")
def test_labelled_images_of_the_pool_are_left_out_and_classes_suggested(pool, image_folder, tmp_path):
    for name in ("red", "blue"):
        for number in range(4):
            (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
            shutil.copy(image_folder / name / f"{name}-{number:02d}.png", tmp_path / "data" / name)
    shutil.copy(pool / "red-05.png", pool / "red-twice.png")
    config = parse([str(tmp_path / "data"), *FLAGS, "--cache.mode", "off"])
    chosen = chosen_from(config, pool, 5, has_labels=True)
    assert (chosen.pool_size, chosen.labelled, chosen.class_names) == (37, 9, ("blue", "red"))
    assert not {f"{name}-{number:02d}.png" for name in ("red", "blue") for number in range(4)} & set(
        chosen.records.names
    )
    np.testing.assert_allclose(chosen.probabilities.sum(axis=1), 1, atol=1e-5)
    with pytest.raises(InputError, match="--count 29 is more than the 28 examples .* not labelled and differ"):
        chosen_from(config, pool, 29, has_labels=True)
    with pytest.raises(InputError, match="is labelled already"):
        chosen_from(config, tmp_path / "data", 2, has_labels=True)


@pytest.mark.usefixtures("small_network")
def test_labelled_test_images_are_left_out_at_the_size_of_the_backbone(image_folder):
    flags = ["--data.path", str(image_folder), "--model.weights", "none", "--recipe", "auto", "--cache.mode", "off"]
    with pytest.raises(InputError, match="is labelled already"):
        chosen_from(parse(flags), image_folder, 2, has_labels=True)


def test_a_pool_without_a_readable_example_is_refused(pool, tmp_path):
    with pytest.raises(InputError, match="No example .* can be read: broken.png: "):
        (tmp_path / "bad").mkdir()
        shutil.copy(pool / "broken.png", tmp_path / "bad")
        chosen_from(parse(FLAGS), tmp_path / "bad", 1, has_labels=False)
