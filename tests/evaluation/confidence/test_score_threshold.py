import pytest

from tl_keras.evaluation.confidence.score_threshold import DEFAULT_THRESHOLD, describe_threshold, format_threshold


@pytest.mark.parametrize(
    ("threshold", "shown"),
    [(0.37251, "0.37"), (0.99995, "0.99995"), (0.996, "0.996"), (0.0004, "0.0004"), (1.0, "1"), (0.0, "0")],
)
def test_a_score_is_not_rounded_to_one_or_zero(threshold, shown):
    assert format_threshold(threshold) == shown


def test_a_threshold_states_what_it_rests_on():
    assert describe_threshold(0.37, 12, 30) == (
        "Detections count from a score of 0.37, which has the best F1 on the 30 boxes in 12 validation images."
    )


def test_a_threshold_of_few_boxes_gets_a_caution():
    sentence = describe_threshold(0.99995, 2, 1)
    assert sentence.startswith("Detections count from a score of 0.99995, which has the best F1 on the 1 box in 2 val")
    assert sentence.endswith(
        "So few boxes say little about other images: compare several values of predict --score_threshold."
    )


def test_nothing_is_recommended_where_no_detection_is_right():
    sentence = describe_threshold(DEFAULT_THRESHOLD, 1, 3)
    assert sentence == (
        "No detection finds any of the 3 boxes in 1 validation image, so that no score is best: detections "
        "count from 0.50."
    )
