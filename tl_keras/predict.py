"""Labels new pictures or texts: `python -m tl_keras.predict RUN FILE_OR_FOLDER ...`, `... RUN "A text" ...`."""

import contextlib
import csv
import io
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tl_keras import data
from tl_keras.atomic_files import atomic_path
from tl_keras.command_line import OneSentenceParser, run_verb
from tl_keras.errors import InputError
from tl_keras.trained_run import load_run

BATCHES_READ_AHEAD = 2
TEXTS_AT_ONCE = 1024
MOST_SHOWN = 200
"""Characters of a text that a table shows; the other formats hold all of it."""


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
        InputError: a file cannot be read, or there is no text at all.
    """
    texts = []
    for argument in arguments:
        if argument == "-":
            texts += _lines(sys.stdin.buffer.read(), "The standard input")
        elif are_files:
            texts += _lines(_read_file(argument), f"The file {argument!r}")
        else:
            texts += [argument] if argument.strip() else []
    if not texts:
        raise InputError('No text found: give texts in quotes, "-" for the standard input, or --files with .txt files.')
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
        if Path(place).is_dir():
            files += data.list_images(place)
        elif Path(place).is_file():
            files.append(place)
        else:
            raise InputError(f"Nothing found at {place!r}: expected an image file or a folder of images.")
    if not files:
        raise InputError(f"No image found in {', '.join(map(repr, places))}: expected a folder with image files.")
    return files


def main(arguments):
    """Runs the verb with the arguments of a command line, a list of strings."""
    options = _parse(arguments)
    run = load_run(options.run)
    kind, items, predictions = _plan(run, options)
    problems = []
    with _output(options.output) as stream:
        write = WRITERS[options.format](stream, options.top, kind)
        for item, labels, problem in tqdm(predictions, total=len(items), disable=None):
            if problem:
                problems.append(f"{item} ({problem})")
            else:
                write(item, labels)
    if problems:
        raise InputError(f"{len(problems)} of {len(items)} files could not be read: {data.first_of(problems)}.")


def _plan(run, options):
    """Returns what the items are called, all of them, and a generator of their predictions."""
    if run.config.task == "text_classification":
        if run.config.text.second_text_column is not None:
            raise InputError("This run takes pairs of texts: predict them with tl_keras.load_run(RUN).predict.")
        texts = find_texts(options.items, options.files)
        return "text", texts, predict_texts(run, texts, options.top)
    if options.files:
        raise InputError("--files is for runs on texts: leave it out.")
    files = find_files(options.items)
    return "file", files, predict_files(run, files, options.top)


def _read_file(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"Cannot read {path!r} ({error.strerror}): expected a file with one text in each line."
        ) from None


def _lines(content, origin):
    try:
        return [line.rstrip("\n") for line in io.StringIO(data.decode_utf8(content), newline=None) if line.strip()]
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
    parser = OneSentenceParser(prog="python -m tl_keras.predict", description="Labels new pictures or texts.")
    parser.add_argument("run", metavar="RUN", help="run folder of a finished training")
    parser.add_argument(
        "items",
        metavar="FILE_OR_FOLDER_OR_TEXT",
        nargs="+",
        help='image files, or folders of them; for a run on texts: texts, or "-" for the lines of the standard input',
    )
    parser.add_argument("--files", action="store_true", help="the texts are in files, one in each line")
    parser.add_argument(
        "--format", choices=sorted(WRITERS), default="table", help="how to write the labels (default: table)"
    )
    parser.add_argument("--output", metavar="FILE", help="write to a file instead of the terminal")
    parser.add_argument("--top", type=int, default=3, help="classes to name for each file or text (default: 3)")
    options = parser.parse_args(arguments)
    if options.top < 1:
        raise InputError(f"--top must be at least 1: got {options.top}.")
    return options


@contextlib.contextmanager
def _output(path):
    if path is None:
        yield sys.stdout
    else:
        if not Path(path).absolute().parent.is_dir() or Path(path).is_dir():
            raise InputError(f"Cannot write to {path!r}: give --output a file in a folder that exists.")
        with (
            atomic_path(Path(path)) as temporary,
            open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream,
        ):
            yield stream


def _table_writer(stream, top, kind):
    def write(item, labels):
        line = _one_line(item) if kind == "text" else item
        stream.write(f"{line}  {'  '.join(f'{name} {probability:.1%}' for name, probability in labels)}\n")

    return write


def _one_line(text):
    line = " ".join(text.split())
    return line if len(line) <= MOST_SHOWN else f"{line[:MOST_SHOWN]} …"


def _csv_writer(stream, top, kind):
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([kind, *(f"{part}_{rank}" for rank in range(1, top + 1) for part in ("label", "probability"))])

    def write(item, labels):
        writer.writerow([item, *(cell for name, probability in labels for cell in (name, f"{probability:.6f}"))])

    return write


def _jsonl_writer(stream, top, kind):
    def write(item, labels):
        line = {kind: item, "labels": [{"label": name, "probability": probability} for name, probability in labels]}
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    return write


WRITERS = {"table": _table_writer, "csv": _csv_writer, "jsonl": _jsonl_writer}


if __name__ == "__main__":
    run_verb(main)
