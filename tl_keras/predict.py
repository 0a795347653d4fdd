"""Names what is on new pictures: `python -m tl_keras.predict RUN FILE_OR_FOLDER ...`."""

import contextlib
import csv
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
    run, files = load_run(options.run), find_files(options.files)
    problems = []
    with _output(options.output) as stream:
        write = WRITERS[options.format](stream, options.top)
        for file, labels, problem in tqdm(predict_files(run, files, options.top), total=len(files), disable=None):
            if problem:
                problems.append(f"{file} ({problem})")
            else:
                write(file, labels)
    if problems:
        raise InputError(f"{len(problems)} of {len(files)} files could not be read: {data.first_of(problems)}.")


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
    parser = OneSentenceParser(prog="python -m tl_keras.predict", description="Names what is on new pictures.")
    parser.add_argument("run", metavar="RUN", help="run folder of a finished training")
    parser.add_argument("files", metavar="FILE_OR_FOLDER", nargs="+", help="image files, or folders of them")
    parser.add_argument(
        "--format", choices=sorted(WRITERS), default="table", help="how to write the labels (default: table)"
    )
    parser.add_argument("--output", metavar="FILE", help="write to a file instead of the terminal")
    parser.add_argument("--top", type=int, default=3, help="classes to name for each file (default: 3)")
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


def _table_writer(stream, top):
    def write(file, labels):
        stream.write(f"{file}  {'  '.join(f'{name} {probability:.1%}' for name, probability in labels)}\n")

    return write


def _csv_writer(stream, top):
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["file", *(f"{part}_{rank}" for rank in range(1, top + 1) for part in ("label", "probability"))])

    def write(file, labels):
        writer.writerow([file, *(cell for name, probability in labels for cell in (name, f"{probability:.6f}"))])

    return write


def _jsonl_writer(stream, top):
    def write(file, labels):
        line = {"file": file, "labels": [{"label": name, "probability": probability} for name, probability in labels]}
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    return write


WRITERS = {"table": _table_writer, "csv": _csv_writer, "jsonl": _jsonl_writer}


if __name__ == "__main__":
    run_verb(main)
