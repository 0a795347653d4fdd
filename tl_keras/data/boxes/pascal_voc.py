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
from tl_keras.data.wording import as_class_name, one_line, printable
from tl_keras.errors import counted, part_of
from tl_keras.system.stored.files import read_text

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def has_voc_files(folder):
    """Returns True if a folder or one of its subfolders has an XML file."""
    return next(Path(folder).rglob("*.xml"), None) is not None


def read_voc(folder):
    """Reads Annotations/*.xml with JPEGImages/, or a folder of images with XML files of the same names.

    Splits come from ImageSets/Main/{train,val,test}.txt, or from folders train/, val(idation)/ and test/. If there is a
    list of training images, images in no list are left out with a note. Objects marked "difficult" are left out with a
    note, because the challenge does not count them. VOC counts pixels from 1: if there is a folder JPEGImages/ and no
    box starts at 0, left and top are reduced by 1.

    Args:
        folder: `Path`.

    Returns:
        `Annotations`. Images without an XML file are left out, with a note; images without objects are kept.

    Raises:
        InputError: a folder cannot be read.
    """
    faults = Faults(f"The folder {folder}")
    paths = _image_paths(folder)
    files, found, notes, skipped = list_files(folder, {".xml"}), [], [], []
    splits = _listed_splits(folder, {Path(file).stem for file in files}, faults, notes)
    for file in files:
        root = _root(file)
        if root is None:
            skipped.append((printable(os.path.relpath(file, folder)), "a file that is not Pascal VOC's XML"))
        else:
            found.append(_image(folder, Path(file), root, paths, splits))
    num_without = len(set(paths.values()) - {image.source for image, _ in found})
    listed = [(image, count) for image, count in found if image.split] if "train" in splits.values() else found
    images, num_difficult = [image for image, _ in listed], sum(count for _, count in listed)
    if num_difficult:
        notes.append(f"Left out {counted(num_difficult, 'object')} marked as difficult.")
    if len(listed) < len(found):
        notes.append(f"Left out {counted(len(found) - len(listed), 'image')} that no list in ImageSets names.")
    if num_without:
        notes.append(f"Left out {counted(num_without, 'image')} without an XML file.")
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


def _listed_splits(folder, stems, faults, notes):
    """Returns {stem: split} from ImageSets/Main, or from ImageSets itself, for the given stems of XML files."""
    lists = Path(folder) / "ImageSets"
    files = sorted((lists / "Main").glob("*.txt")) or sorted(lists.glob("*.txt"))
    splits, advice = {}, "list the names of its XML files, one a line, or remove it"
    for path in files:
        split = split_of_name(path.stem)
        lines = _lines(path, faults) if split else None
        if lines is None:
            continue
        found = {_stem_of_line(line, stems) for line in lines}
        if not found - {None}:
            examples = f" ({printable(lines[0])})" if lines else ""
            faults.add("a list of a split that matches no XML file", f"{path.name}{examples}", advice)
        for stem in sorted(stem for stem in found & splits.keys() if splits[stem] != split):
            faults.add("an image in two lists of ImageSets", f"{printable(stem)} ({splits[stem]}, {split})")
        num_missing = sum(_stem_of_line(line, stems) is None for line in lines)
        if num_missing:
            notes.append(f"In {path.name} {part_of(num_missing, len(lines), 'name', ('has', 'have'))} no XML file.")
        splits |= dict.fromkeys(found - {None}, split)
    return splits


def _lines(path, faults):
    """Returns the lines of a list that are not empty; None, after adding a fault, if it cannot be read."""
    try:
        return [line.strip() for line in read_text(path, "utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        faults.add("a list of a split that cannot be read", f"{path.name} ({one_line(error)})", "save it as UTF-8")
        return None


def _stem_of_line(line, stems):
    """Returns the stem that a line names, with or without folder, ending or mark of a class; None without a match."""
    name = line.replace("\\", "/").rpartition("/")[2]
    first_word = name.split()[0] if name else ""
    candidates = (name, os.path.splitext(name)[0], first_word, os.path.splitext(first_word)[0])
    return next((stem for stem in candidates if stem in stems), None)


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
            label = as_class_name(thing.findtext("name", "").strip()) or "(no name)"
            image.boxes.append(BoxAnnotation(numbers, label, place))
    return image, num_difficult


def _count_from_zero(images):
    firsts = [min(box.numbers[:2]) for image in images for box in image.boxes]
    if firsts and min(firsts) >= 1:
        for image in images:
            image.boxes[:] = [
                box._replace(numbers=(box.numbers[0] - 1, box.numbers[1] - 1, *box.numbers[2:])) for box in image.boxes
            ]
