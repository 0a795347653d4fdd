import pytest

from tl_keras.config import DetectionConfig
from tl_keras.errors import InputError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"channels": 4}, "detection.channels must be at least 8: got 4"),
        ({"score_threshold": 1.5}, "detection.score_threshold must lie from 0 to 1"),
        ({"num_proposals": 8193}, "detection.num_proposals must be at most 8192: got 8193"),
        ({"max_detections": 8193}, "detection.max_detections must be at most 8192: got 8193"),
        ({"anchor_sizes": []}, "detection.anchor_sizes must be numbers above 0"),
        ({"box_columns": ["a", "b"]}, "detection.box_columns must name 4 columns"),
        ({"detector": "yolo_v8", "anchor_sizes": [8.0]}, "anchor_sizes has no effect on yolo_v8"),
    ],
)
def test_invalid_settings_are_refused_by_name(values, message):
    with pytest.raises(InputError, match=message):
        DetectionConfig(**values)
