"""Tiny data sets that are made in a moment, to test the benchmark itself."""

import numpy as np
from PIL import Image

from few_label_suite.examples import Example

COLOURS = {"blue": (40, 60, 220), "green": (40, 200, 60), "red": (220, 40, 40)}
WORDS = {"animal": "cat dog horse cow sheep", "tool": "hammer saw drill pliers wrench"}
EXAMPLES_PER_CLASS = 20


def make_images():
    """Makes noisy images of 32 x 32 pixels of three colours, as a list of `Example`."""
    generator = np.random.default_rng(0)
    examples = []
    for label, colour in COLOURS.items():
        for number in range(EXAMPLES_PER_CLASS):
            pixels = np.clip(np.array(colour) + generator.normal(0, 25, (32, 32, 3)), 0, 255)
            examples.append(Example(Image.fromarray(pixels.astype("uint8")), label, str(number)))
    return examples


def make_texts():
    """Makes sentences about animals and tools, as a list of `Example`."""
    generator = np.random.default_rng(0)
    return [
        Example(f"{number}: a {' and a '.join(generator.choice(words.split(), 2))}", label, str(number))
        for label, words in WORDS.items()
        for number in range(EXAMPLES_PER_CLASS)
    ]
