import pytest

from tl_keras.config.derived import derive
from tl_keras.config.parsing import parse
from tl_keras.tasks.registry import TASKS


@pytest.fixture(scope="module")
def small_image_data(image_folder):
    """Configuration of recipe auto with two epochs for the other recipes, and the splits."""
    flags = ["--data.path", str(image_folder), "--data.image_size", "32", "--cache.mode", "off"]
    config = parse(flags)
    config = derive(config, epochs=2, data=derive(config.data, validation_fraction=0.0, batch_size=8))
    return config, TASKS[config.task].load_data(config)
