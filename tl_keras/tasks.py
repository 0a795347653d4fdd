"""The tasks: each is one file, whose functions the verbs call in this order."""

from tl_keras import image_classification, text_classification

TASKS = {
    "image_classification": image_classification,
    "text_classification": text_classification,
}
"""Each module has `check_sources`, `load_data`, `fingerprint`, `describe`, `build_model`, `compile_model`,
`activation_sources`, `training_inputs`, `predict`, `evaluate`, `report_extras`, `deployed_model` and `card_facts`; for
finished runs `open_model`, `predict_new` and `load_test_data`."""
