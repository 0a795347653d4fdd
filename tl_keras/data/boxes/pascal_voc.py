"""Reader of Pascal VOC's XML format (Everingham et al. 2010), one file for each image."""

import math
import os
from pathlib import Path
from xml.etree.ElementTree import ParseError

import defusedxml
from defusedxml import ElementTree

from tl_keras.data.boxes.checks import Annotations, BoxAnnotation, ImageAnnotation, to_number
from tl_keras.data.data_errors import Faults
from tl_keras.data.reading.folders import list_files, list_images
from tl_keras.data.records import split_of_name
from tl_keras.data.wording import one_line, printable

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def has_voc_files(folder):
    """Returns True if a folder or one of its subfolders has an XML file."""
    return next(Path(folder).rglob("*.xml"), None) is not None


def read_voc(folder):
    """Reads Annotations/*.xml with JPEGImages/, or a folder of images with XML files of the same names.

    Splits come from ImageSets/Main/{train,val,test}.txt, or from folders train/, val(idation)/ and test/. Objects
    marked "difficult" are left out with a note, because the challenge does not count them. VOC counts pixels from 1:
    if there is a folder JPEGImages/ and no box starts at 0, left and top are reduced by 1.

    Args:
        folder: `Path`.

    Returns:
        `Annotations`. Images without an XML file are left out, with a note; images without objects are kept.

    Raises:
        InputError: a folder cannot be read.
    """
    faults = Faults(f"The folder {folder}")
    paths = _image_paths(folder)
    splits, images, notes, skipped = _splits_of_stems(folder, faults), [], [], []
    num_difficult = 0
    for file in list_files(folder, {".xml"}):
        root = _root(file)
        if root is None:
            skipped.append((printable(os.path.relpath(file, folder)), "a file that is not Pascal VOC's XML"))
            continue
        image, difficult_of_image = _image(folder, Path(file), root, paths, splits)
        images.append(image)
        num_difficult += difficult_of_image
    if num_difficult:
        notes.append(f"Left out {num_difficult:,} objects marked as difficult.")
    num_without = len(set(paths.values()) - {image.source for image in images})
    if num_without:
        notes.append(f"Left out {num_without:,} images without an XML file.")
    if (Path(folder) / "JPEGImages").is_dir():
        _count_from_zero(images)
    return Annotations(images, faults, notes=notes, skipped=skipped)


def _image_paths(folder):
    """Returns {(folder, stem): path} of all images; images in JPEGImages/ also have the folder above."""
    paths = {}
    for path in map(Path, list_images(folder)):
        paths.setdefault((str(path.parent), path.stem), str(path))
        if path.parent.name.lower() in ("jpegimages", "images"):
            paths.setdefault((str(path.parent.parent), path.stem), str(path))
    return paths


def _splits_of_stems(folder, faults):
    """Returns {stem: split} from ImageSets/Main."""
    files = [(split_of_name(path.stem), path) for path in sorted((Path(folder) / "ImageSets" / "Main").glob("*.txt"))]
    splits = {}
    for split, path in files:
        try:
            splits |= dict.fromkeys(path.read_text(encoding="utf-8").split() if split else (), split)
        except (OSError, UnicodeDecodeError) as error:
            faults.add("a list of a split that cannot be read", f"{path.name} ({one_line(error)})", "save it as UTF-8")
    return splits


def _root(file):
    if not os.path.isfile(file):
        return None
    try:
        root = ElementTree.parse(file).getroot()
    except (OSError, ParseError, ValueError, LookupError, defusedxml.DefusedXmlException):
        return None
    return root if root.tag == "annotation" else None


def _image(folder, file, root, paths, splits):
    """Returns the `ImageAnnotation` of an XML file, and the number of its difficult objects."""
    stems = (Path(root.findtext("filename", "").strip()).stem, file.stem)
    keys = [(str(parent), stem) for parent in (file.parent, file.parent.parent) for stem in stems[::-1]]
    source = next((paths[key] for key in keys if key in paths), str(file.with_suffix(".jpg")))
    name = printable(Path(os.path.relpath(source, folder)).as_posix())
    split = splits.get(file.stem) or next(filter(None, map(split_of_name, Path(name).parts[:-1])), "")
    size = tuple(to_number(root.findtext(f"size/{side}")) for side in ("height", "width"))
    # Some tools write 0 for an unknown size.
    size = tuple(map(int, size)) if all(0 < side < math.inf for side in size) else None
    image = ImageAnnotation(source, name, split, size)
    num_difficult = 0
    for number, thing in enumerate(root.findall("object"), start=1):
        if thing.findtext("difficult", "0").strip() == "1":
            num_difficult += 1
        else:
            numbers = tuple(to_number(thing.findtext(f"bndbox/{side}")) for side in _SIDES)
            place = f"{printable(os.path.relpath(file, folder))} object {number}"
            label = printable(thing.findtext("name", "").strip()) or "(no name)"
            image.boxes.append(BoxAnnotation(numbers, label, place))
    return image, num_difficult


def _count_from_zero(images):
    firsts = [min(box.numbers[:2]) for image in images for box in image.boxes]
    if firsts and min(firsts) >= 1:
        for image in images:
            image.boxes[:] = [
                box._replace(numbers=(box.numbers[0] - 1, box.numbers[1] - 1, *box.numbers[2:])) for box in image.boxes
            ]
