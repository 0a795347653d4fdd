"""All verbs under one name: `tl-keras train ...` is `python -m tl_keras.train ...`."""

import importlib

from tl_keras.cli.verbs import run_verb
from tl_keras.errors import unknown_name

VERBS = {
    "train": "Train, evaluate and save a model.",
    "evaluate": "Test a finished run again, also on other data.",
    "recommend": "Rank backbones on your own data, without training them.",
    "compare": "Measure on your own data whether transfer pays.",
    "label": "List labels that are probably wrong (check), or choose what to label next (next).",
    "predict": "Predict new images or texts, or detect objects.",
    "explain": "Show which part of an image or which words a prediction rests on.",
    "demo": "Try finished runs on a page of this machine.",
    "export": "Export a finished run as SavedModel, ONNX, LiteRT or OpenVINO, checked and measured.",
}


def dispatch(arguments):
    """Calls the verb that the first of the arguments, a list of strings, names."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: tl-keras VERB ...   (tl-keras VERB --help says more)\n")
        print("\n".join(f"  {verb:<9} {text}" for verb, text in VERBS.items()))
        return
    verb, *rest = arguments
    if verb not in VERBS:
        raise unknown_name("verb", verb, VERBS)
    importlib.import_module(f"tl_keras.{verb}").main(rest)


def main():
    """Runs the command line of the process."""
    run_verb(dispatch)


if __name__ == "__main__":
    main()
