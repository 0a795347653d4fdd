"""Names of the files that studies write, and what people have filled into them, which no later call may replace."""

from tl_keras.data.reading.table_cells import has_column, has_rows, read_rows
from tl_keras.errors import InputError, quoted

RECOMMENDATION = ("recommendation.md", "recommendation.json", "recommendation.png", "train.yaml")
LABEL_CHECK = ("label_check.csv", "label_check.png", "near_duplicates.csv", "far.csv")
BOX_CHECK = ("box_check.csv", "box_check.png")
NEXT_LABELS = ("next.csv", "next.jsonl", "label_studio.json", "next.png")
DECISION = "decision"
"""Column of `label_check.csv` that a person may fill."""


def refuse_filled(path, column, advice):
    """Refuses to replace a table of an earlier call that a person has filled.

    Args:
        path: `pathlib.Path` of the table, which need not exist.
        column: the column that people fill.
        advice: what to do with the table, for the message.

    Raises:
        InputError: the column holds something, or the file is no table.
    """
    if not (path.exists() and has_rows(path) and has_column(path, "column", column)):
        return
    if any(texts[column] for _, _, texts in read_rows(path, {f"column {column}": column})):
        raise InputError(
            f"{quoted(str(path))} would be replaced, but its column {column} is filled: {advice}, or give --output a "
            "new folder."
        )
