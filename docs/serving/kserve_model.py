"""Serves an export by the server in KServe's Python package, with its protocols V1 and V2, without containers.

pip install kserve tensorflow==2.21.* tensorflow-text==2.21.*
python kserve_model.py --model_name flowers --model_dir saved_model/1 --http_port 8080
"""

import argparse
import base64

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401, its import registers the operations of tokenizers
from kserve import InferOutput, InferResponse, Model, ModelServer, model_server

TYPES = {"float32": "FP32", "int32": "INT32", "int64": "INT64"}


class SavedModel(Model):
    """Answers requests by the signatures of a SavedModel."""

    def __init__(self, name, folder):
        super().__init__(name)
        self.loaded = tf.saved_model.load(folder)
        self.ready = True

    def predict(self, payload, headers=None):
        """Returns rows for rows (V1), or tensors for tensors (V2)."""
        if isinstance(payload, dict):
            rows, signature = payload["instances"], payload.get("signature_name", "serving_default")
            outputs = self.compute(signature, {name: [content(row[name]) for row in rows] for name in rows[0]})
            cells = zip(*(values.tolist() for values in outputs.values()), strict=True)
            return {"predictions": [dict(zip(outputs, row, strict=True)) for row in cells]}
        outputs = self.compute("serving_default", {one.name: one.as_numpy() for one in payload.inputs})
        tensors = [
            InferOutput(name, list(values.shape), TYPES.get(str(values.dtype), "BYTES"), values.ravel().tolist())
            for name, values in outputs.items()
        ]
        return InferResponse(payload.id or "", self.name, tensors)

    def compute(self, signature, inputs):
        """Returns a dict from the name of an output to its array; text is decoded."""
        serve = self.loaded.signatures[signature]
        specs = serve.structured_input_signature[1]
        outputs = serve(**{name: tf.constant(values, specs[name].dtype) for name, values in inputs.items()})
        arrays = {name: tensor.numpy() for name, tensor in outputs.items()}
        return {
            name: np.char.decode(values.astype(bytes), "utf-8") if values.dtype == object else values
            for name, values in arrays.items()
        }


def content(cell):
    """Returns a cell of a row, from base64 where it is one of bytes."""
    return base64.b64decode(cell["b64"]) if isinstance(cell, dict) else cell


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[model_server.parser])
    parser.add_argument("--model_dir", required=True, help="folder of a SavedModel")
    options = parser.parse_args()
    ModelServer().start([SavedModel(options.model_name, options.model_dir)])
