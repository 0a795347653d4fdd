import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.transfer.tiny_models import IMAGES, LABELS, compiled
from tl_keras.errors import InputError
from tl_keras.phases import Phase
from tl_keras.transfer.staged_adamw import StagedAdamW
from tl_keras.transfer.unfreezing import ProgressiveUnfreezing

PHASES = [Phase("head", learning_rate=1e-2), Phase("all", learning_rate=1e-2)]


def base_model():
    return keras.Sequential([layers.Input((6, 6, 1)), layers.Conv2D(3, 3, name="conv")], name="base")


def unbuilt_sequential(*front):
    pool, front = layers.GlobalAveragePooling2D(), [layers.Rescaling(1.0), *front]
    return keras.Sequential(
        [*front, base_model(), pool, layers.Dense(4, name="hidden"), layers.Dense(2, name="logits")]
    )


class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.base, self.pool = base_model(), layers.GlobalAveragePooling2D()
        self.hidden, self.logits = layers.Dense(4, name="hidden"), layers.Dense(2, name="logits")

    def call(self, images):
        return self.logits(self.hidden(self.pool(self.base(images))))


def with_augmentation():
    return unbuilt_sequential(layers.RandomFlip(seed=1))


def train(model, **options):
    unfreezing = ProgressiveUnfreezing(PHASES)
    compiled(model, StagedAdamW()).fit(
        IMAGES, LABELS, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=[unfreezing], **options
    )
    return unfreezing


@pytest.mark.parametrize("build", [Subclass, with_augmentation])
def test_a_model_that_is_not_built_trains_from_its_first_batch(build):
    unfreezing = train(build())
    assert [record["blocks"] for record in unfreezing.plan] == [["logits"], ["conv", "hidden", "logits"]]
    assert [record["audit"] for record in unfreezing.plan] == [{"frozen": 4, "moved": 2}, {"frozen": 0, "moved": 6}]


def test_it_trains_like_one_that_was_built_before():
    models = []
    for is_built in (True, False):
        keras.utils.set_random_seed(0)
        models.append(unbuilt_sequential())
        assert not models[-1].built
        if is_built:
            models[-1].build((None, 6, 6, 1))
        train(models[-1], validation_data=(IMAGES[:5], LABELS[:5]))
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)
    assert models[1].predict(IMAGES[:3], verbose=0).shape == (3, 2)


def test_data_without_a_known_shape_are_refused():
    data = tf.data.Dataset.from_generator(lambda: iter([(IMAGES, LABELS)]), output_types=("float32", "int32"))
    model = compiled(unbuilt_sequential(), StagedAdamW())
    with pytest.raises(InputError, match="no known shape: call the model on a batch before fit"):
        model.fit(data, epochs=2, verbose=0, callbacks=[ProgressiveUnfreezing(PHASES)])
