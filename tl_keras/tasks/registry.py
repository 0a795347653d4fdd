"""The tasks: each is one file, whose functions the verbs call in this order."""

from tl_keras.tasks import image_classification, object_detection, text_classification

TASKS = {
    "image_classification": image_classification,
    "text_classification": text_classification,
    "object_detection": object_detection,
}
"""Each module has `check_sources`, `load_data`, `fingerprint`, `describe`, `preview`, `build_model`, `compile_model`,
`activation_sources`, `training_inputs`, `predict`, `choose_threshold`, `evaluate`, `report_extras`, `save_trained`
and `card_facts`; for finished runs `open_model`, `predict_new` and `load_test_data`; and the constants `HEAD_RATE`,
`NEW_BLOCKS`, `PATIENCE` and `EXAMPLE`."""
