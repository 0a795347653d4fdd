"""Copies of images with the detections drawn in, a folder of which holds those of a single call."""

from tl_keras import evaluation
from tl_keras.cli.output_files import refuse_inputs, refuse_other_images
from tl_keras.data.wording import short_stem
from tl_keras.errors import RunStopped, counted, is_disk_full
from tl_keras.runs.result_folders import claim_folder, run_origin
from tl_keras.system.atomic_files import write_text

LEGEND = "classes.txt"


class AnnotatedImages:
    """Draws the predictions of a run into copies of the images.

    If no installed font can draw a class name, the boxes have its number, and `classes.txt` explains the numbers.

    Args:
        run: `TrainedRun` of a task that draws its predictions.
        folder: path to write to; it is created.
        items: image files of all shards of the call.

    Raises:
        InputError: the folder cannot be created, or has images of another call or of the user, or one of the items.
    """

    def __init__(self, run, folder, items):
        names = name_copies(items)
        refuse_inputs(folder, names.values(), items, "--annotated")
        legend = evaluation.number_legend(run.class_names)
        patterns = ["*.png", *([LEGEND] if legend else [])]
        origin = {"verb": "predict"} | run_origin(run)
        self._run, self._folder = run, claim_folder(folder, origin, patterns, flag="--annotated")
        refuse_other_images(self._folder, names.values(), "--annotated")
        self._paths = {item: self._folder / name for item, name in names.items()}
        if legend:
            write_text(self._folder / LEGEND, legend + "\n")

    def remove(self, items):
        """Removes the copies that an earlier call made of the items."""
        for item in items:
            self._paths[item].unlink(missing_ok=True)

    def draw(self, item, prediction):
        """Draws a prediction into the copy of its image."""
        self._run.task.draw_prediction(self._run, item, prediction, self._paths[item])

    def draw_all(self, predicted):
        """Draws the predictions of a call, whose table is complete.

        Args:
            predicted: list of (item, prediction).

        Raises:
            RunStopped: the disk is full.
        """
        for number, (item, prediction) in enumerate(predicted):
            try:
                self.draw(item, prediction)
            except Exception as error:
                if not is_disk_full(error):
                    raise
                raise RunStopped(
                    f"The disk is full: the predictions are complete, but only {number} of "
                    f"{counted(len(predicted), 'annotated image')} were written to {str(self._folder)!r}: free some "
                    "space and repeat the command."
                ) from error


def name_copies(files):
    """Names the PNG copies of files after them, numbered where names repeat.

    Args:
        files: iterable of paths.

    Returns:
        Dict from each path to the name of its copy.
    """
    names, used, numbers = {}, set(), {}
    for file in dict.fromkeys(files):
        stem = short_stem(file)
        number = numbers.get(stem, 0) + 1
        while (name := stem if number == 1 else f"{stem}-{number}") in used:
            number += 1
        numbers[stem] = number
        used.add(name)
        names[file] = f"{name}.png"
    return names
