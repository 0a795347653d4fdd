"""Writer of images and boxes in COCO's format."""

import json
from pathlib import Path

from PIL import Image

from tl_keras.data.boxes.geometry import box_areas
from tl_keras.data.images.decoding import read_upright
from tl_keras.data.records import SPLITS

JPEG_QUALITY = 95


def write_coco(records, folder):
    """Writes images and boxes as a folder in COCO's format.

    Each split that has images gets SPLIT/00000.jpg … and annotations/instances_SPLIT.json.

    Args:
        records: `BoxRecords` without undecided splits.
        folder: `Path` of the folder to create, or of one with other splits.

    Raises:
        InputError: an image cannot be read.
    """
    (Path(folder) / "annotations").mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        part = records.take(records.rows(split))
        if len(part):
            (Path(folder) / split).mkdir()
            names = [f"{row:05d}.jpg" for row in range(len(part))]
            for name, source in zip(names, part.sources, strict=True):
                Image.fromarray(read_upright(source)).save(Path(folder) / split / name, quality=JPEG_QUALITY)
            file = Path(folder) / "annotations" / f"instances_{split}.json"
            file.write_text(json.dumps(coco_document(part, names)), encoding="utf-8")


def coco_document(records, file_names):
    """Builds the content of a COCO annotation file.

    Args:
        records: `BoxRecords`.
        file_names: file name of each image.

    Returns:
        dict for JSON with `images`, `categories` and `annotations`; ids count from 1 in the order of the records.
    """
    images = [
        {"id": number, "file_name": name, "height": int(height), "width": int(width)}
        for number, (name, (height, width)) in enumerate(zip(file_names, records.sizes, strict=True), start=1)
    ]
    annotations = []
    for image, boxes, labels in zip(images, records.boxes, records.labels, strict=True):
        for box, label in zip(boxes.tolist(), labels.tolist(), strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image["id"],
                    "category_id": label + 1,
                    "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                    "area": float(box_areas(box)),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(records.class_names, start=1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def coco_results(predictions):
    """Builds the list of detections that COCO's evaluation tools read.

    Args:
        predictions: for each image of a `coco_document`, in its order, a dict of NumPy arrays: `boxes` (k, 4), xyxy in
            pixels of the image, `scores` (k,), `labels` (k,).

    Returns:
        List of dicts for JSON, with the ids of `coco_document`.
    """
    return [
        {
            "image_id": image,
            "category_id": int(label) + 1,
            "bbox": [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])],
            "score": float(score),
        }
        for image, detections in enumerate(predictions, start=1)
        for box, score, label in zip(detections["boxes"], detections["scores"], detections["labels"], strict=True)
    ]
