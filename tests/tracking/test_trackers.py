import pytest

from tl_keras.errors import InputError
from tl_keras.tracking import trackers


def test_an_unknown_tracker_names_the_nearest():
    with pytest.raises(InputError, match="Unknown tracker of --log 'tensorbord': did you mean 'tensorboard'"):
        trackers.check_trackers(["tensorbord"])


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setattr(trackers.importlib.util, "find_spec", lambda name: None if name == "wandb" else object())
    trackers.check_trackers(["mlflow", "tensorboard"])
    with pytest.raises(InputError, match="--log wandb needs a package that is missing: pip install wandb"):
        trackers.check_trackers(["mlflow", "wandb"])
