"""Names of the files of explanations, which are known before TensorFlow is loaded."""

from pathlib import Path

from tl_keras.data.wording import printable

PAGE, RECORDS = "explanations.html", "explanations.json"


def name_plot(number, path):
    """Names the plot of an image, by its number in the call and its path."""
    return f"{number:03d}-{Path(printable(path)).stem}.png".replace("\\", "_")
