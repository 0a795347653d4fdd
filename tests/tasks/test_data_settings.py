from types import SimpleNamespace

from tl_keras.config import DataConfig, DetectionConfig, RunConfig, TextConfig
from tl_keras.data import ImageLoading, TableColumns
from tl_keras.tasks.data_settings import image_loading, table_columns


def test_columns_are_those_of_the_configuration():
    config = SimpleNamespace(
        data=DataConfig(path_column="file", label_column="kind", split_column="part", multi_label=True),
        text=TextConfig(text_column="question", second_text_column="answer"),
        detection=DetectionConfig(box_columns=["x", "y", "w", "h"]),
    )
    expected = TableColumns("file", "question", "answer", ["x", "y", "w", "h"], "kind", "part", multi_label=True)
    assert table_columns(config) == expected


def test_columns_by_default_are_those_of_the_readers():
    assert vars(table_columns(RunConfig())) == vars(TableColumns()) | {"boxes": list(TableColumns().boxes)}


def test_the_limit_of_memory_is_in_bytes():
    config = RunConfig(data=DataConfig(on_bad_file="skip", max_bad_files=0.5, max_decoded_gigabytes=0.25))
    assert image_loading(config) == ImageLoading("skip", 0.5, 250_000_000)
