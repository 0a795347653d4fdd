"""What a run is told about a domain whose labels nobody has. Knows no TensorFlow."""

from dataclasses import dataclass
from typing import Literal

from tl_keras.config.ranges import check_above_zero, check_least, check_unused
from tl_keras.errors import InputError
from tl_keras.system.documented_fields import document_fields

Method = Literal["dann", "deep_coral", "mmd", "adabn", "tent", "mcc", "self_training"]
Validator = Literal[
    "source_accuracy", "target_entropy", "information_maximization", "soft_neighborhood_density", "reverse_validation"
]
STATISTICS_ONLY = ("adabn", "tent")
"""Methods that change batch normalization alone."""
FEATURES_ONLY = ("dann", "deep_coral", "mmd")
"""Methods that change what comes before the head."""
MIN_IN_BATCH = {"adabn": 16, "tent": 16, "deep_coral": 8, "mmd": 8}
"""Statistics of fewer examples at once would be noise."""
DEFAULT_WEIGHTS = {
    "dann": (0.1, 0.3, 1.0),
    "deep_coral": (0.3, 3.0, 30.0),
    "mmd": (0.3, 1.0, 3.0),
    "mcc": (0.3, 1.0, 3.0),
    "self_training": (0.3, 1.0),
}


@document_fields
@dataclass(frozen=True)
class AdaptationConfig:
    """Whether the model is adapted to another domain, whose labels are not used."""

    method: Method | None = None
    """dann, deep_coral and mmd draw the features of both domains together, mcc and self_training make predictions on
    the target sure, adabn and tent change batch normalization alone; null adapts nothing."""
    target: str | None = None
    """Examples of the target domain: a folder of images, .txt with a text in each line, or anything that data.path
    takes. Labels, where it has them, are for the final report alone."""
    masked_epochs: int | None = None
    """Of texts: passes over the target's texts before the first phase, in which the encoder guesses hidden words; null
    makes none. No method is needed for it."""
    train: str | list[str] | None = None
    """What learns while adapting, as in a phase; null takes what the last phase trained."""
    epochs: int | None = None
    """Passes over the source; null takes about 200 steps, in 2 to 20 epochs."""
    learning_rate: float | None = None
    """Peak rate; null takes 3e-4, of tent 1e-3."""
    weights: list[float] | None = None
    """How much the method's loss counts: each is tried, and the validator chooses; null tries two or three."""
    validator: Validator = "information_maximization"
    """What chooses without target labels; where it finds nothing better, the model stays as the source made it."""
    unknown_classes: Literal["error", "drop"] = "error"
    """Target classes that the source lacks: error refuses them, drop leaves their examples out of the report; they are
    still adapted to, since nobody is supposed to know them."""
    upper_bound: bool = False
    """Also train on the target's labels, as a run of its own: how good could it have been?"""

    def __post_init__(self):
        """Refuses a method without a target, a target without a method, and numbers out of range."""
        wanted = "method" if self.method else "masked_epochs" if self.masked_epochs is not None else None
        if (wanted is None) != (self.target is None):
            given, missing = (wanted, "target") if wanted else ("target", "method")
            raise InputError(f"adaptation.{given} is given without adaptation.{missing}: give both or none.")
        if self.target is None:
            check_unused(self, "adaptation", None, "without adaptation.target")
        check_least(self, "adaptation", {"epochs": 1, "masked_epochs": 1})
        check_above_zero(self, "adaptation", "learning_rate")
        if self.weights is not None and not (self.weights and min(self.weights) > 0):
            raise InputError(f"adaptation.weights must be numbers above 0: got {self.weights}.")
        if self.method in STATISTICS_ONLY:
            for name in ("train", "weights"):
                if getattr(self, name) is not None:
                    raise InputError(f"adaptation.{name} is not for {self.method}, which has no such: leave it out.")
