"""The tasks by name."""

from tl_keras.tasks.image_classification import ImageClassification
from tl_keras.tasks.object_detection import ObjectDetection
from tl_keras.tasks.text_classification import TextClassification

TASKS = {
    "image_classification": ImageClassification(),
    "text_classification": TextClassification(),
    "object_detection": ObjectDetection(),
}
"""Each value is a `Task`."""
