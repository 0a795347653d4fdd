"""Images of a target domain, with labels, which only the report uses, or without."""

import os
from pathlib import Path

from tl_keras.data.examples.catalogue import IMAGE_EXAMPLES
from tl_keras.data.images.find import find_records
from tl_keras.data.reading.folders import list_images
from tl_keras.data.reading.table_cells import DEFAULT_COLUMNS
from tl_keras.data.target_labels import align_target, make_unlabelled_records


def find_target_images(path, class_names, columns=DEFAULT_COLUMNS, *, on_bad_file="error", unknown_classes="error"):
    """Lists the images of a target domain.

    Args:
        path: a folder of images without class folders, for images without labels; or any path that `find_records`
            accepts.
        class_names: the classes of the source.
        columns: `TableColumns` of a table.
        on_bad_file: "error" or "skip", as in `find_records`.
        unknown_classes: "error" or "drop", see `align_target`.

    Returns:
        `Records` with `class_names`; the label is `NO_LABEL` where an image has none, or none of these classes.

    Raises:
        InputError: there are no images, or the source lacks their classes.
    """
    folder = Path(path)
    if str(path) not in IMAGE_EXAMPLES and os.path.isdir(folder) and _has_no_class_folders(folder):
        return make_unlabelled_records(list_images(folder), class_names, folder)
    return align_target(find_records(path, columns, on_bad_file=on_bad_file), class_names, unknown_classes)


def _has_no_class_folders(folder):
    # Images may lie beside class folders: only images below at most one subfolder show that there are no classes.
    return len({Path(image).parent for image in list_images(folder)} - {folder}) < 2
