from types import SimpleNamespace

import keras
import numpy as np

from tl_keras import adaptation
from tl_keras.config.parsing import parse
from tl_keras.runs.run_folder import RunFolder
from tl_keras.tasks.registry import TASKS
from tl_keras.training.pretraining import pretrain


def test_a_resumed_run_takes_the_encoder_that_was_pretrained(tmp_path, monkeypatch, capsys):
    calls = []

    def pretrain_on_texts(model, texts, steps, **settings):
        calls.append(steps)
        model.variables[0].assign(np.full(model.variables[0].shape, 7.0))
        return 1.5

    class Splits(SimpleNamespace):
        train = validation = ()

    monkeypatch.setattr(adaptation, "pretrain_on_texts", pretrain_on_texts)
    monkeypatch.setattr(
        type(TASKS["text_classification"]), "training_inputs", lambda *_: {"x": None, "steps_per_epoch": 5}
    )
    monkeypatch.setattr("tl_keras.training.pretraining.replace", lambda splits, **_: splits)
    text = ["--task", "text_classification", "--adaptation.masked_epochs", "2", "--adaptation.target", "x.txt"]
    models = [keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]) for _ in range(2)]
    for model in models:
        pretrain(parse(text), model, SimpleNamespace(splits=Splits()), RunFolder(tmp_path))
    assert calls == [10]
    assert (models[1].get_weights()[0] == 7).all()
    assert capsys.readouterr().out == "masked language modelling on the target: 10 steps, loss 1.500\n"
