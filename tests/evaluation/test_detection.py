import json

import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.evaluation.detection import above_threshold, best_threshold, detection_metrics

BOX = np.array([[0.0, 0, 20, 20]])


def predict(boxes, scores, labels):
    return {
        "boxes": np.array(boxes, float).reshape(-1, 4),
        "scores": np.array(scores, float),
        "labels": np.array(labels, int),
    }


EMPTY = predict([], [], [])


def test_perfect_predictions():
    ground_truth = [np.array([[0, 0, 20, 20], [30, 30, 80, 80]]), np.zeros((0, 4)), np.array([[0, 0, 100, 100]])]
    labels = [[0, 1], [], [1]]
    predictions = [predict(boxes, [1.0] * len(boxes), row) for boxes, row in zip(ground_truth, labels, strict=True)]
    metrics = detection_metrics(ground_truth, labels, predictions, ["cat", "dog"])
    scores = [name for name in metrics if name.startswith(("mean_average", "average_"))]
    assert scores == ["mean_average_precision"] + [
        f"average_precision_{part}" for part in ("50", "75", "small", "medium", "large")
    ]
    assert all(metrics[name] == 1.0 for name in (*scores, "precision", "recall", "f1"))
    assert metrics["examples"] == 3 and metrics["boxes"] == 3 and sum(metrics["mistakes"].values()) == 0
    assert metrics["per_class"]["dog"] == {
        **{"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 2},
        **{"average_precision": 1.0, "average_precision_50": 1.0},
    }


def test_average_precision_by_hand():
    """Three boxes. By score, the predictions are right, on background, and right at IoU 0.64; the third box is missed.

    At IoU 0.5: precision 1 up to a recall of 1/3 (34 of the 101 points), 2/3 up to 2/3 (33 points), then 0. From IoU
    0.65 on only the first is right.
    """
    ground_truth, labels = [BOX, BOX, BOX], [[0], [0], [0]]
    predictions = [
        predict([*BOX, [60, 60, 80, 80]], [0.9, 0.8], [0, 0]),
        predict([[0, 0, 16, 16]], [0.7], [0]),
        EMPTY,
    ]
    metrics = detection_metrics(ground_truth, labels, predictions, ["cat"])
    at_50 = (34 + 33 * 2 / 3) / 101
    at_75 = 34 / 101
    assert metrics["average_precision_50"] == pytest.approx(at_50)
    assert metrics["average_precision_75"] == pytest.approx(at_75)
    # 0.5, 0.55 and 0.6 lie below 0.64.
    assert metrics["mean_average_precision"] == pytest.approx((3 * at_50 + 7 * at_75) / 10)
    assert metrics["average_precision_small"] == metrics["mean_average_precision"]
    assert metrics["average_precision_medium"] is None and metrics["average_precision_large"] is None
    assert metrics["per_class"]["cat"]["average_precision_50"] == pytest.approx(at_50)
    curve = metrics["precision_recall"]
    assert curve["recall"][:3] == [0.0, 0.01, 0.02] and len(curve["recall"]) == 101
    assert curve["precision"]["cat"] == [1.0] * 34 + [round(2 / 3, 4)] * 33 + [0.0] * 34
    # F1 is 2 · 1 / (1 + 3) at 0.9, and 2 · 2 / (3 + 3) at 0.7.
    assert metrics["score_threshold"] == 0.7 and metrics["f1"] == pytest.approx(2 / 3)
    assert metrics["precision"] == pytest.approx(2 / 3) and metrics["recall"] == pytest.approx(2 / 3)
    assert metrics["mistakes"]["missed"] == 1 and metrics["mistakes"]["background"] == 1


def test_an_iou_of_0_72_is_right_up_to_a_threshold_of_0_7():
    metrics = detection_metrics([BOX], [[0]], [predict([[0, 0, 20, 14.4]], [0.9], [0])], ["cat"])
    assert metrics["average_precision_50"] == 1.0 and metrics["average_precision_75"] == 0.0
    assert metrics["mean_average_precision"] == pytest.approx(0.5)


def test_a_threshold_changes_precision_and_mistakes_but_not_average_precision():
    predictions = [predict([*BOX, *BOX], [0.9, 0.2], [0, 1])]
    best = detection_metrics([BOX], [[0]], predictions, ["cat", "dog"])
    low = detection_metrics([BOX], [[0]], predictions, ["cat", "dog"], score_threshold=0.1)
    assert (best["precision"], low["precision"]) == (1.0, 0.5) and low["mistakes"]["wrong_class"] == 1
    assert best["average_precision_50"] == low["average_precision_50"] == 1.0


def test_a_class_without_ground_truth_does_not_count():
    metrics = detection_metrics([BOX], [[1]], [predict(BOX, [0.9], [1])], ["cat", "dog"])
    assert metrics["mean_average_precision"] == 1.0 and list(metrics["precision_recall"]["precision"]) == ["dog"]
    assert {key for key, value in metrics["per_class"]["cat"].items() if value is not None} == {"support"}


def test_no_predictions():
    metrics = detection_metrics([BOX], [[0]], [EMPTY], ["cat"])
    assert metrics["mean_average_precision"] == 0.0 and metrics["mistakes"]["missed"] == 1
    assert metrics["score_threshold"] == 0.5


def test_metrics_are_ready_for_json_and_nothing_is_printed(capsys):
    json.dumps(detection_metrics([BOX], [[0]], [predict(BOX, [0.9], [0])], ["cat"]), allow_nan=False)
    assert capsys.readouterr() == ("", "")


def test_a_threshold_keeps_or_drops_equal_scores_together():
    ground_truth = [np.array([[0, 0, 20, 20], [70, 0, 90, 20]], float)]
    wrong = [[60, 60, 80, 80]] * 3
    predictions = [predict([ground_truth[0][0], *wrong, ground_truth[0][1]], [0.8] * 4 + [0.3], [0] * 5)]
    # F1 would be 2 · 1 / (1 + 2) with the first alone; it is 2 · 1 / (4 + 2) at 0.8 and 2 · 2 / (5 + 2) at 0.3.
    assert best_threshold(ground_truth, [[0, 0]], predictions) == 0.3
    assert above_threshold(predictions[0], 0.8)["boxes"].tolist() == [[0, 0, 20, 20], *wrong]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([BOX], [[0], [0]], [EMPTY]), "boxes of 1, labels of 2 and predictions for 1 image"),
        (([], [], []), "boxes of 0"),
        (([np.zeros((0, 4))], [[]], [EMPTY]), "got no box in any image"),
        (
            ([BOX], [[0, 0]], [EMPTY]),
            r"ground truth of image 0: got boxes of shape \(1, 4\), expected \(2, 4\)",
        ),
        (([BOX], [[1]], [EMPTY]), "ground truth of image 0: got labels 1 to 1, expected 0 to 0"),
        (([BOX], [[0]], [predict(BOX * np.nan, [0.5], [0])]), "prediction for image 0: got boxes that are not finite"),
        (([BOX], [[0]], [predict(BOX, [np.nan], [0])]), "scores that are not finite"),
        (([BOX], [[0]], [predict(BOX, [0.1, 0.2], [0])]), "got 2 scores for 1 label"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        detection_metrics(*arguments, ["cat"])
