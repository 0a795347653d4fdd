"""Parts of tf.data pipelines that every kind of data uses."""
