"""Boxes in the XML format of Pascal VOC (Everingham et al. 2010): one file for each image."""

import math
import os
from pathlib import Path
from xml.etree.ElementTree import ParseError

import defusedxml
from defusedxml import ElementTree

from tl_keras.data.boxes.checks import DrawnBox, DrawnImage, check_boxes
from tl_keras.data.data_errors import Faults
from tl_keras.data.reading.folders import list_files, list_images
from tl_keras.data.records import split_of_name
from tl_keras.data.wording import one_line, printable

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def has_voc_files(folder):
    """Says whether there is an XML file in a folder or below."""
    return next(Path(folder).rglob("*.xml"), None) is not None


def read_voc(folder, *, on_bad_box="error", on_bad_file="error"):
    """Reads Annotations/*.xml with JPEGImages/, or any folder of images with an XML file of the same name each.

    Splits are those of ImageSets/Main/{train,val,test}.txt, or of folders train/, val(idation)/ and test/. Objects
    marked "difficult" are left out with a note, as the challenge does not count them. VOC counts pixels from 1; so
    where Annotations/ and JPEGImages/ are there and no box begins at 0, left and top are lowered by 1.

    Args:
        folder: `Path`.
        on_bad_box: "error" or "skip", as in `check_boxes`.
        on_bad_file: as said; "skip" also leaves out files that are not VOC's XML.

    Returns:
        `BoxRecords`. An image without XML file is left out, with a note; one whose file has no object is kept.

    Raises:
        InputError: with everything that is wrong with the files and their boxes.
    """
    faults = Faults(f"The folder {folder}")
    pictures = _pictures(folder)
    given, images, notes, skipped = _given_splits(folder, faults), [], [], []
    difficult = 0
    for file in list_files(folder, {".xml"}):
        root = _root(file)
        if root is None:
            name, what = printable(os.path.relpath(file, folder)), "a file that is not Pascal VOC's XML"
            skipped.append((name, what))
            if on_bad_file == "error":
                faults.add(what, name)
            continue
        image, uncounted = _image(folder, Path(file), root, pictures, given)
        images.append(image)
        difficult += uncounted
    if difficult:
        notes.append(f"Left out {difficult:,} objects marked as difficult.")
    without = len(set(pictures.values()) - {image.source for image in images})
    if without:
        notes.append(f"Left out {without:,} images without an XML file.")
    if (Path(folder) / "JPEGImages").is_dir():
        images = _counted_from_zero(images)
    choices = {"on_bad_box": on_bad_box, "on_bad_file": on_bad_file}
    return check_boxes(images, faults, **choices, notes=notes, skipped=skipped)


def _pictures(folder):
    """Returns the path of every image: by (folder, stem), and those of JPEGImages by stem alone."""
    found = {}
    for path in map(Path, list_images(folder)):
        found.setdefault((str(path.parent), path.stem), str(path))
        if path.parent.name.lower() in ("jpegimages", "images"):
            found.setdefault((str(path.parent.parent), path.stem), str(path))
    return found


def _given_splits(folder, faults):
    """Returns {stem: split} of ImageSets/Main."""
    files = [(split_of_name(path.stem), path) for path in sorted((Path(folder) / "ImageSets" / "Main").glob("*.txt"))]
    given = {}
    for split, path in files:
        try:
            given |= dict.fromkeys(path.read_text(encoding="utf-8").split() if split else (), split)
        except (OSError, UnicodeDecodeError) as error:
            faults.add("a list of a split that cannot be read", f"{path.name} ({one_line(error)})", "save it as UTF-8")
    return given


def _root(file):
    if not os.path.isfile(file):
        return None
    try:
        root = ElementTree.parse(file).getroot()
    except (OSError, ParseError, ValueError, LookupError, defusedxml.DefusedXmlException):
        return None
    return root if root.tag == "annotation" else None


def _image(folder, file, root, pictures, given):
    """Returns the `DrawnImage` of an XML file, and how many difficult objects it has."""
    stems = (Path(root.findtext("filename", "").strip()).stem, file.stem)
    keys = [(str(place), stem) for place in (file.parent, file.parent.parent) for stem in stems[::-1]]
    source = next((pictures[key] for key in keys if key in pictures), str(file.with_suffix(".jpg")))
    name = printable(Path(os.path.relpath(source, folder)).as_posix())
    split = given.get(file.stem) or next(filter(None, map(split_of_name, Path(name).parts[:-1])), "")
    size = tuple(_number(root.findtext(f"size/{side}")) for side in ("height", "width"))
    # Some tools write 0 where they do not know.
    size = tuple(map(int, size)) if all(0 < side < math.inf for side in size) else None
    image = DrawnImage(source, name, split, size)
    difficult = 0
    for number, thing in enumerate(root.findall("object"), start=1):
        if thing.findtext("difficult", "0").strip() == "1":
            difficult += 1
        else:
            numbers = tuple(_number(thing.findtext(f"bndbox/{side}")) for side in _SIDES)
            place = f"{printable(os.path.relpath(file, folder))} object {number}"
            label = printable(thing.findtext("name", "").strip()) or "(no name)"
            image.boxes.append(DrawnBox(numbers, label, place))
    return image, difficult


def _number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")


def _counted_from_zero(images):
    firsts = [min(box.numbers[:2]) for image in images for box in image.boxes]
    if not firsts or min(firsts) < 1:
        return images
    for image in images:
        image.boxes[:] = [
            box._replace(numbers=(box.numbers[0] - 1, box.numbers[1] - 1, *box.numbers[2:])) for box in image.boxes
        ]
    return images
