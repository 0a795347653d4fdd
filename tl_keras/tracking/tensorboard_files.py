"""TensorBoard: event files in the run folder, which `tensorboard --logdir runs` shows."""

import numpy as np
import tensorflow as tf
from PIL import Image

from tl_keras.tracking.trackers import Tracker

FOLDER = "tensorboard"


class Adapter(Tracker):
    """Writes event files; those of a resumed run continue the same curves."""

    def __init__(self, folder, settings, known_id):
        self._writer = tf.summary.create_file_writer(str(folder / FOLDER))
        if known_id is None:
            rows = [f"| {name} | {value} |" for name, value in settings.items()]
            self.log_text("configuration", "\n".join(["| setting | value |", "|---|---|", *rows]))
        self.id = FOLDER

    def log_figures(self, figures, epoch):
        """Writes scalars at an epoch."""
        with self._writer.as_default():
            for name, value in figures.items():
                tf.summary.scalar(name, value, step=epoch)
        self._writer.flush()

    def log_text(self, name, text):
        """Writes a text."""
        with self._writer.as_default():
            tf.summary.text(name, text, step=0)

    def log_results(self, figures, plots):
        """Writes scalars and the plots as images."""
        self.log_figures(figures, 0)
        with self._writer.as_default():
            for path in plots:
                tf.summary.image(path.stem, np.asarray(Image.open(path).convert("RGB"))[np.newaxis], step=0)

    def close(self, finished):
        """Closes the file."""
        self._writer.close()
