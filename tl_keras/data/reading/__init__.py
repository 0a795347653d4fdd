"""Reading folders, tables and TFDS data sets, whatever they hold."""
