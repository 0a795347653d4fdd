"""Labels new pictures or texts, or finds objects: `python -m tl_keras.predict RUN FILE_OR_FOLDER_OR_TEXT ...`."""

import contextlib
import errno
import io
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tl_keras import data, models
from tl_keras.cli.label_writers import LABEL_WRITERS
from tl_keras.cli.object_writers import OBJECT_WRITERS, picture_writer
from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.errors import InputError
from tl_keras.runs.trained_run import load_run
from tl_keras.system.atomic_files import atomic_path

BATCHES_READ_AHEAD = 2
TEXTS_AT_ONCE = 1024
TOP = 3


def predict_files(run, files, top):
    """Predicts image files batch by batch; what cannot be read is told and left out.

    Args:
        run: `TrainedRun`.
        files: list of paths.
        top: how many classes to name for each file, at least 1.

    Yields:
        For each file in order a tuple `(file, labels, problem)`: `labels` is a list of (class name, probability), the
        most probable first, and `problem` None; or `labels` is empty and `problem` says why the file cannot be read.
    """
    for batch, images in _read_ahead(run, files):
        readable = [image for image in images if isinstance(image, np.ndarray)]
        probabilities = iter(run.model.predict_on_batch(np.stack(readable)) if readable else ())
        for file, image in zip(batch, images, strict=True):
            if isinstance(image, data.BadImage):
                yield file, [], image.reason
            else:
                yield file, _most_probable(next(probabilities), run.class_names, top), None


def predict_texts(run, texts, top):
    """Predicts texts; those of like length are computed together.

    Args:
        run: `TrainedRun` of a task on texts.
        texts: list of str.
        top: how many classes to name for each text, at least 1.

    Yields:
        For each text in order a tuple `(text, labels, None)`, as `predict_files` does.
    """
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        part = texts[start : start + TEXTS_AT_ONCE]
        for text, probabilities in zip(part, run.predict(part), strict=True):
            yield text, _most_probable(probabilities, run.class_names, top), None


def find_texts(arguments, are_files):
    """Gathers the texts that a command line means.

    Args:
        arguments: list of texts; "-" stands for the lines of the standard input.
        are_files: whether they are paths of files instead, with one text in each line.

    Returns:
        List of str, without empty lines.

    Raises:
        InputError: a file cannot be read, a text is the path of a file, or there is no text at all.
    """
    given = []
    for argument in arguments:
        if argument == "-":
            given += _lines(sys.stdin.buffer.read(), "The standard input")
        elif are_files:
            given += _lines(_read_file(argument), f"The file {argument!r}")
        elif argument.endswith(".txt") and os.path.isfile(argument):
            raise InputError(f"{argument!r} is a file: give --files before it to predict the texts that are in it.")
        else:
            given.append(argument)
    texts = [text for text in given if text.strip()]
    if not texts:
        raise InputError('No text found: give texts in quotes, "-" for the standard input, or --files with .txt files.')
    if empty := len(given) - len(texts):
        print(f"note: {empty} empty {'text was' if empty == 1 else 'texts were'} left out", file=sys.stderr)
    return texts


def find_files(places):
    """Lists the image files among files and folders.

    Args:
        places: list of paths; a folder stands for every image in it and below.

    Returns:
        List of paths.

    Raises:
        InputError: a place does not exist, or there is no image at all.
    """
    files = []
    for place in places:
        if os.path.isdir(place):
            files += data.list_images(place)
        elif os.path.isfile(place):
            files.append(place)
        else:
            raise InputError(f"Nothing found at {place!r}: expected an image file or a folder of images.")
    if not files:
        raise InputError(f"No image found in {', '.join(map(repr, places))}: expected a folder with image files.")
    return files


def find_objects(run, files, score_threshold):
    """Finds the objects in image files, batch by batch; what cannot be read is told and left out.

    Args:
        run: `TrainedRun` of a detector.
        files: list of paths.
        score_threshold: objects of a lower score are left out, 0 to 1.

    Yields:
        For each file in order a tuple `(file, objects, problem)`: `objects` is a list of (class name, score, box), the
        surest first, a box left, top, right, bottom in pixels of the upright image, and `problem` None; or `objects`
        is empty and `problem` says why the file cannot be read.
    """
    resize, batch_size = run.config.data.resize, run.config.data.batch_size
    for batch, images in _read_ahead(run, files):
        readable = [image for image in images if isinstance(image, np.ndarray)]
        options = {"score_threshold": score_threshold, "batch_size": batch_size}
        found = iter(models.detect(run.model, np.stack(readable), **options) if readable else ())
        for file, image in zip(batch, images, strict=True):
            if isinstance(image, data.BadImage):
                yield file, [], image.reason
            else:
                one = next(found)
                boxes = data.restore_boxes(one["boxes"], data.upright_size(file), run.image_size, resize)
                names = [run.class_names[label] for label in one["labels"]]
                yield file, list(zip(names, one["scores"].tolist(), boxes.tolist(), strict=True)), None


def main(arguments):
    """Runs the verb with the arguments of a command line, a list of strings."""
    options = _parse(arguments)
    run = load_run(options.run)
    _check_options(options, run.config.task)
    items, predictions = _plan(run, options)
    problems = []
    with _writer(run, options) as write:
        for item, found, problem in tqdm(predictions, total=len(items), disable=None):
            if problem:
                problems.append(f"{data.printable(item)} ({problem})")
            else:
                write(item, found)
    if problems:
        raise InputError(f"{len(problems)} of {len(items)} files could not be read: {data.first_of(problems)}.")


def _plan(run, options):
    """Returns all items, and a generator of their predictions."""
    if run.config.task == "text_classification":
        if run.config.text.second_text_column is not None:
            raise InputError("This run takes pairs of texts: predict them with tl_keras.load_run(RUN).predict.")
        texts = find_texts(options.items, options.files)
        return texts, predict_texts(run, texts, options.top or TOP)
    files = find_files(options.items)
    if run.config.task == "object_detection":
        chosen = options.score_threshold
        return files, find_objects(run, files, run.metrics["score_threshold"] if chosen is None else chosen)
    return files, predict_files(run, files, options.top or TOP)


@contextlib.contextmanager
def _writer(run, options):
    """Gives a function that writes the prediction of an item, wherever it is wanted."""
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(_output(options.output))
        if run.config.task != "object_detection":
            kind = "text" if run.config.task == "text_classification" else "file"
            top = min(options.top or TOP, len(run.class_names))
            yield stack.enter_context(LABEL_WRITERS[options.format](stream, top, kind))
            return
        writers = [stack.enter_context(OBJECT_WRITERS[options.format](stream, run.class_names))]
        if options.pictures:
            writers.append(stack.enter_context(picture_writer(options.pictures, run.class_names)))

        def write(file, objects):
            size = data.upright_size(file)
            for writer in writers:
                writer(file, size, objects)

        yield write


def _check_options(options, task):
    """Refuses what a run of this task has no use for."""
    allowed = {"text_classification": "files", "object_detection": "score_threshold pictures"}.get(task, "").split()
    for name, wanted in (("files", "texts"), ("score_threshold", "boxes"), ("pictures", "boxes")):
        if getattr(options, name) not in (None, False) and name not in allowed:
            raise InputError(f"--{name} is for runs on {wanted}: leave it out.")
    if task == "object_detection" and options.top is not None:
        raise InputError("--top is for runs that classify: give --score_threshold for runs on boxes.")
    writers = OBJECT_WRITERS if task == "object_detection" else LABEL_WRITERS
    if options.format not in writers:
        raise InputError(f"--format {options.format} is not for this run: take one of {', '.join(sorted(writers))}.")
    if options.top is not None and options.top < 1:
        raise InputError(f"--top must be at least 1: got {options.top}.")
    if options.score_threshold is not None and not 0 <= options.score_threshold <= 1:
        raise InputError(f"--score_threshold must lie from 0 to 1: got {options.score_threshold}.")


def _read_file(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"Cannot read {path!r} ({error.strerror}): expected a file with one text in each line."
        ) from None


def _lines(content, origin):
    try:
        return [line.rstrip("\n") for line in io.StringIO(data.decode_utf8(content), newline=None)]
    except data.NotUtf8 as error:
        raise InputError(f"{origin} is not UTF-8 ({error.reason}): save it as UTF-8.") from error


def _read_ahead(run, files):
    """Yields each batch of files with its images, or what is wrong with them, read by threads ahead of need."""
    size, resize, batch_size = run.image_size, run.config.data.resize, run.config.data.batch_size

    def read(file):
        try:
            return data.read_image(file, size, resize)
        except data.BadImage as error:
            return error

    waiting = []
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(files), batch_size):
            batch = files[start : start + batch_size]
            waiting.append((batch, pool.map(read, batch)))
            if len(waiting) > BATCHES_READ_AHEAD:
                batch, images = waiting.pop(0)
                yield batch, list(images)
        for batch, images in waiting:
            yield batch, list(images)


def _most_probable(probabilities, class_names, top):
    return [(class_names[index], float(probabilities[index])) for index in np.argsort(-probabilities)[:top]]


def _parse(arguments):
    parser = OneSentenceParser(
        prog="python -m tl_keras.predict", description="Labels new pictures or texts, or finds objects."
    )
    parser.add_argument("run", metavar="RUN", help="run folder of a finished training")
    parser.add_argument(
        "items",
        metavar="FILE_OR_FOLDER_OR_TEXT",
        nargs="+",
        help='image files, or folders of them; for a run on texts: texts, or "-" for the lines of the standard input',
    )
    parser.add_argument("--files", action="store_true", help="the texts are in files, one in each line")
    formats = sorted({*LABEL_WRITERS, *OBJECT_WRITERS})
    parser.add_argument("--format", choices=formats, default="table", help="how to write them (default: table)")
    parser.add_argument("--output", metavar="FILE", help="write to a file instead of the terminal")
    parser.add_argument("--top", type=int, help=f"classes to name for each file or text (default: {TOP})")
    parser.add_argument(
        "--score_threshold", type=float, help="leave objects of a lower score out (default: that of the run)"
    )
    parser.add_argument("--pictures", metavar="FOLDER", help="draw the objects of each picture into a copy there")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def _output(path):
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Names of files need not be UTF-8, and nobody wants to lose the others for one of them.
            sys.stdout.reconfigure(errors="surrogateescape")
        yield sys.stdout
    else:
        with contextlib.ExitStack() as opened:
            try:
                if os.path.isdir(path):
                    raise IsADirectoryError(errno.EISDIR, "it is a folder")
                temporary = opened.enter_context(atomic_path(Path(path)))
                stream = opened.enter_context(
                    open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="")
                )
            except OSError as error:
                raise InputError(
                    f"Cannot write to {path!r} ({error.strerror}): give --output a file in a folder that exists."
                ) from error
            yield stream


if __name__ == "__main__":
    run_verb(main)
