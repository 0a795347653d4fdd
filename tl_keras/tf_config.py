"""Prints TF_CONFIG for what started this process: `export TF_CONFIG="$(python -m tl_keras.tf_config)"`."""

import os

from tl_keras.cli.verbs import OneSentenceParser, run_verb
from tl_keras.distribution import derive_tf_config, read_cluster


def main(arguments):
    """Runs the verb with the arguments of a command line, a list of strings."""
    OneSentenceParser("python -m tl_keras.tf_config", __doc__).parse_args(arguments)
    found = derive_tf_config(os.environ)
    # What would be refused by the training is refused here, before TensorFlow is there.
    read_cluster({"TF_CONFIG": found})
    print(found)


if __name__ == "__main__":
    run_verb(main)
