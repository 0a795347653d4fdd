import numpy as np

from tl_keras.data import Records
from tl_keras.tasks.text_prediction import predict_texts


class LengthModel:
    """Stands for a model over strings: an eighth of the length of each text, and the sizes of its batches."""

    input, output_shape = "strings", (None, 1)

    def __init__(self):
        self.batches = []

    def predict_on_batch(self, texts):
        self.batches.append([len(text) for text in texts])
        return np.array([[len(text) / 8] for text in texts], "float32")


def test_strings_are_batched_by_length_and_come_back_in_order():
    texts, model = ["aaaa", "a", "aaa", "aa", "aaaaa"], LengthModel()
    records = Records(texts, texts, np.zeros(5), [], ())
    assert predict_texts(model, records, 2)[:, 0].tolist() == [4 / 8, 1 / 8, 3 / 8, 2 / 8, 5 / 8]
    assert model.batches == [[1, 2], [3, 4], [5]]


def test_pairs_are_given_as_two_inputs():
    class PairModel(LengthModel):
        input = {"text": None, "text_pair": None}

        def predict_on_batch(self, inputs):
            return super().predict_on_batch([a + b for a, b in zip(inputs["text"], inputs["text_pair"], strict=True)])

    records = Records([("a", "bb"), ("ccc", "d")], ["1", "2"], np.zeros(2), [], ())
    assert predict_texts(PairModel(), records, 8)[:, 0].tolist() == [3 / 8, 4 / 8]
