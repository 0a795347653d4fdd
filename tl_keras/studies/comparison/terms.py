"""Terms of a comparison: what budgets count, what is measured, by which methods, and the words for it."""

from dataclasses import dataclass

from tl_keras.errors import InputError
from tl_keras.studies.comparison.grid import ALL, AUTO, FINE_TUNING, RANDOM_WEIGHTS, SCRATCH, SOLVED, UNFREEZING
from tl_keras.studies.comparison.results import BoxResult, ClassResult
from tl_keras.tasks.registry import TASKS


@dataclass(frozen=True)
class Terms:
    """Holds the terms of a comparison, see `CLASSES` and `BOXES`."""

    score: str
    """Name of `Result.score` in figures and tables."""
    equally: str
    """Predicate of a method that reaches the score of another."""
    figures: tuple[str, ...]
    """Attributes of a result that hold figures of the test examples, the one that is compared first."""
    result: type
    """Class of the results."""
    unit: str
    """Plural of what budgets count."""
    each: str
    """What stands after a number of them; empty where a budget counts all classes together."""
    largest: str
    """Beginning of a sentence on the data that have too few, before their number."""
    examples: str
    """Name of the test examples."""
    min_test: int
    """Number of them below which even a large difference says little."""
    methods: tuple[str, ...]
    """Methods by default, in the order in which they are trained: the cheapest first."""
    other_methods: tuple[str, ...]
    """Methods that only a user's choice adds."""
    budgets: tuple[str, ...]
    """Budgets by default."""
    draws: int
    """Draws by default."""
    scratch: str
    """Description of `scratch`."""
    recipe: str
    """Recipe of a configuration that chooses none."""
    needs_validation: bool
    """Whether training needs validation examples, even if they decide nothing."""

    @property
    def per_class(self):
        """Returns whether a budget counts the examples of each class, not of all together."""
        return bool(self.each)

    def name_budget(self, budget):
        """Names a budget, such as "5 labels a class" or "all labels"."""
        return f"all {self.unit}" if budget == ALL else f"{budget} {self.unit}{self.each}"

    def head(self, budget):
        """Names a budget at the head of a column, such as "5 a class", "10 images" or "all labels"."""
        return self.name_budget(budget) if budget == ALL or not self.per_class else f"{budget}{self.each}"


CLASSES = Terms(
    score="accuracy",
    equally="is as accurate",
    figures=("accuracy",),
    result=ClassResult,
    unit="labels",
    each=" a class",
    largest="classes with more labels: the largest class has",
    examples="test examples",
    # A tenth of accuracy is three of them.
    min_test=30,
    methods=(SOLVED, AUTO, FINE_TUNING, UNFREEZING, SCRATCH),
    other_methods=(RANDOM_WEIGHTS,),
    budgets=("5", "10", "20", "50", ALL),
    draws=5,
    scratch="the strongest model that is trained here without pretrained weights: a small residual network for images, "
    "TF-IDF and logistic regression for texts",
    recipe=AUTO,
    needs_validation=False,
)
BOXES = Terms(
    score="AP at IoU 0.5",
    equally="has the same AP at IoU 0.5",
    figures=("average_precision_50", "mean_average_precision"),
    result=BoxResult,
    unit="images",
    each="",
    largest="more images: there are",
    examples="test images",
    # Each has several boxes; with fewer a bootstrap over images says little.
    min_test=10,
    methods=(UNFREEZING, SCRATCH),
    other_methods=(FINE_TUNING,),
    budgets=("10", "20", "50", ALL),
    draws=3,
    scratch="the same detector with random weights, all of whose blocks are trained at once, for as many epochs as "
    "progressive unfreezing takes",
    recipe=UNFREEZING,
    needs_validation=True,
)
OTHERS = {"object_detection": BOXES}
"""Terms of the tasks that are not classification."""


def terms_of(name):
    """Returns the `Terms` of a task.

    Args:
        name: key in `TASKS`.

    Raises:
        InputError: trainings of the task cannot be compared.
    """
    if name in OTHERS:
        return OTHERS[name]
    if not TASKS[name].supports_auto:
        raise InputError(
            f"compare is for classification and {', '.join(OTHERS)}, but task is {name}: train it with and without "
            "pretrained weights."
        )
    return CLASSES
