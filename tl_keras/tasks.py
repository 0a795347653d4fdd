"""The tasks: each is one file, whose functions the verbs call in this order."""

from tl_keras import image_classification

TASKS = {
    "image_classification": image_classification,
}
"""Each module has `check_sources`, `load_data`, `fingerprint`, `describe`, `build_model`, `compile_model`,
`compute_features`, `training_inputs`, `predict`, `evaluate` and `load_test_data`."""
