import keras
import numpy as np

from tests.callbacks.test_checkpoints import PHASES, build_model
from tests.models.detection import tiny_detectors
from tl_keras.callbacks.checkpoint_files import read_checkpoints
from tl_keras.callbacks.checkpoint_variables import digest_of, largest_checkpoint, model_bytes, saved_variables
from tl_keras.callbacks.checkpoints import SaveCheckpoints
from tl_keras.callbacks.restoring import Progress
from tl_keras.phases import Phase
from tl_keras.transfer.unfreezing import ProgressiveUnfreezing


def prepared(phases):
    model, unfreezing = build_model(0, dropout=0.5), ProgressiveUnfreezing(phases, "train")
    unfreezing.prepare(model)
    return model, unfreezing


def test_seed_generators_are_saved_and_moments_of_untouched_weights_are_not():
    model, unfreezing = prepared(PHASES)
    saved = set(map(id, saved_variables(model, unfreezing.untouched[0]).values()))
    layer = model.get_layer("block1.dropout")
    assert saved >= {id(layer.seed_generator.state), *map(id, model.get_layer("head.output").variables)}
    assert not saved & set(map(id, model.get_layer("block1.dense").variables))
    assert len(saved) < len(saved_variables(model, []))


def test_the_seed_generator_of_a_detector_is_saved():
    detector = tiny_detectors.build_tiny("faster_rcnn")
    detector.compile(keras.optimizers.SGD())
    assert id(detector.seed_generator.state) in map(id, saved_variables(detector, []).values())


def test_every_bit_changes_the_digest():
    variable = keras.Variable(np.zeros(3, "float32"))
    before = digest_of([variable])
    variable.assign(np.array([0, 0, -0.0], "float32"))
    assert digest_of([variable]) != before


def test_the_predicted_size_of_the_largest_checkpoint_is_exact(tmp_path):
    model, unfreezing = prepared(PHASES)
    unfreezing.state["ends"] = [2]
    SaveCheckpoints(tmp_path, Progress(), unfreezing, model).save()
    [(_, arrays)] = read_checkpoints(tmp_path)
    written = sum(array.nbytes for name, array in arrays.items() if name not in ("state", "untouched"))
    assert largest_checkpoint(model, unfreezing) == written


def test_the_weights_of_the_best_epoch_count_in_the_size():
    model, unfreezing = prepared([Phase("all", epochs=2)])
    best_model, best = prepared([Phase("all", epochs=2, restore_best=True)])
    more = largest_checkpoint(best_model, best) - largest_checkpoint(model, unfreezing)
    assert 0 < more <= model_bytes(model.variables)
