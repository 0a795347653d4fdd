"""Names of the files of explanations, which are known before TensorFlow is loaded."""

from tl_keras.data.wording import printable, short_stem

PAGE, RECORDS = "explanations.html", "explanations.json"


def name_plot(number, path):
    """Names the plot of an image, by its number in the call and its path."""
    return f"{number:03d}-{short_stem(printable(path))}.png".replace("\\", "_")
