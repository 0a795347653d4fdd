"""Names of the columns of a table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TableColumns:
    """Names of the columns of a table, and how many labels its rows have.

    Attributes:
        path: column of image paths, relative to the folder of the table and inside it.
        text: column in a table, or key in TensorFlow Datasets, of the texts.
        second_text: column or key of the second text of each pair; None: no pairs.
        boxes: the four columns of the coordinates of a box in pixels.
        label: column of class names; for texts also a key in TensorFlow Datasets.
        split: column of split names (train, val, test, ... or empty). A table may lack the default column "split"; then
            every split is undecided.
        multi_label: True if an example has any number of labels, also none, in a cell as a JSON list or joined by "|".
            Tables only; has no effect on boxes.
    """

    path: str = "path"
    text: str = "text"
    second_text: str | None = None
    boxes: tuple[str, str, str, str] = ("xmin", "ymin", "xmax", "ymax")
    label: str = "label"
    split: str = "split"
    multi_label: bool = False


DEFAULT_COLUMNS = TableColumns()
