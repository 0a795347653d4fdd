"""Settings of domain adaptation."""

from typing import Literal

from tl_keras.config.ranges import check_above_zero, check_minimum, check_unused
from tl_keras.errors import InputError
from tl_keras.system.documented_fields import documented_dataclass

Method = Literal["dann", "deep_coral", "mmd", "adabn", "tent", "mcc", "self_training"]
Validator = Literal[
    "source_accuracy", "target_entropy", "information_maximization", "soft_neighborhood_density", "reverse_validation"
]
STATISTICS_ONLY = ("adabn", "tent")
"""Methods that only change batch normalization."""
FEATURES_ONLY = ("dann", "deep_coral", "mmd")
"""Methods that only change the layers before the head."""
MIN_IN_BATCH = {"adabn": 16, "tent": 16, "deep_coral": 8, "mmd": 8}
"""Minimum batch size of the methods that estimate statistics from a batch."""
DEFAULT_WEIGHTS = {
    "dann": (0.1, 0.3, 1.0),
    "deep_coral": (0.3, 3.0, 30.0),
    "mmd": (0.3, 1.0, 3.0),
    "mcc": (0.3, 1.0, 3.0),
    "self_training": (0.3, 1.0),
}


@documented_dataclass
class AdaptationConfig:
    """Settings of unsupervised adaptation to a target domain."""

    method: Method | None = None
    """Adaptation method: dann, deep_coral and mmd align the features of source and target; mcc and self_training make
    the predictions on the target more confident; adabn and tent only change batch normalization. By default there is no
    adaptation."""
    target: str | None = None
    """Examples of the target domain: a folder of images, a .txt file with one text per line, or anything that data.path
    accepts. Labels, if there are any, are only used in the final report."""
    masked_epochs: int | None = None
    """Epochs of masked language modeling on the target texts before the first phase, at least 1; needs no method. By
    default this step is skipped. Text classification only."""
    train: str | list[str] | None = None
    """Blocks to train during adaptation, as in a phase. By default those of the last phase."""
    epochs: int | None = None
    """Epochs over the source data during adaptation, at least 1. By default about 200 steps, in 2 to 20 epochs."""
    learning_rate: float | None = None
    """Peak learning rate of the adaptation, above 0. By default 3e-4, or 1e-3 for tent."""
    weights: list[float] | None = None
    """Weights of the adaptation loss to try, each above 0; the validator chooses among them. By default two or three
    values that suit the method."""
    validator: Validator = "information_maximization"
    """Criterion that chooses the weight without target labels. The source model is kept unless an adapted model is
    better by it, no worse by reverse validation, loses at most 0.1 of the source accuracy, and has not collapsed."""
    unknown_classes: Literal["error", "drop"] = "error"
    """Target classes that are not among the source classes: error refuses them; drop excludes their examples from the
    report but still adapts to them, because their labels would be unknown."""
    upper_bound: bool = False
    """Whether to also train a model on the target's labels, which shows the accuracy that adaptation could reach at
    best."""

    def __post_init__(self):
        """Checks that a method has a target and a target has a method, and that numbers are in range."""
        purpose = "method" if self.method else "masked_epochs" if self.masked_epochs is not None else None
        if (purpose is None) != (self.target is None):
            present, missing = (purpose, "target") if purpose else ("target", "method or adaptation.masked_epochs")
            raise InputError(f"adaptation.{present} needs adaptation.{missing}: set both or neither.")
        if self.target is None:
            check_unused(self, "adaptation.", None, "without adaptation.target")
        check_minimum(self, "adaptation.", epochs=1, masked_epochs=1)
        check_above_zero(self, "adaptation.", "learning_rate")
        if self.weights is not None and not (self.weights and min(self.weights) > 0):
            raise InputError(f"adaptation.weights must be numbers above 0: got {self.weights}.")
        if self.method in STATISTICS_ONLY:
            check_unused(self, "adaptation.", ("train", "weights"), f"on method {self.method}")
