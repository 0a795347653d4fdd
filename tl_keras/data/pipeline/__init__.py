"""Parts of `tf.data` pipelines for all kinds of data."""
