"""Ground truth as training targets: anchors, IoU, matching, assignment, sampling."""
