"""Settings of a configuration in the form that `tl_keras.data` takes."""

from tl_keras import data


def table_columns(config):
    """Collects the names of the columns of tables.

    Args:
        config: `RunConfig`.

    Returns:
        `TableColumns`.
    """
    label = config.data.label_column
    return data.TableColumns(
        path=config.data.path_column,
        text=config.text.text_column,
        second_text=config.text.second_text_column,
        boxes=config.detection.box_columns,
        label=label if isinstance(label, str) else tuple(label),
        split=config.data.split_column,
        multi_label=config.data.multi_label,
        label_separator=config.data.label_separator,
    )


def image_loading(config):
    """Collects the options of loading images.

    Args:
        config: `RunConfig`.

    Returns:
        `ImageLoading`.
    """
    return data.ImageLoading(
        on_bad_file=config.data.on_bad_file,
        max_bad_files=config.data.max_bad_files,
        max_decoded_bytes=int(config.data.max_decoded_gigabytes * 1e9),
    )
