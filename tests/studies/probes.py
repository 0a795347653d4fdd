"""Makes probes of backbones without a network."""

import numpy as np

from tl_keras import probing
from tl_keras.studies.backbone_probes import BackboneProbe
from tl_keras.studies.recommendation import Recommendation

NOISE = np.random.default_rng(0).normal(0, 0.1, 100)


def make_probe(name, loss, milliseconds, noise=0):
    """Makes a probe on 100 examples, whose losses differ from those of another by the constant and by noise."""
    losses = np.full(100, loss) + noise
    held_out = probing.HeldOut(None, 1.0, np.arange(100), np.tile([0.9, 0.1], (100, 1)), losses)
    metrics = {"examples": 100, "accuracy": 1.0, "intervals": {"accuracy": [0.96, 1.0]}}
    return BackboneProbe(name, 224, held_out, metrics, 0.8, milliseconds, 4_000_000, None)


def make_recommendation(probes, skipped=None, verified=None, **block_losses):
    """Makes a recommendation whose blocks have constant losses."""
    blocks = {block: np.full(100, value) for block, value in (block_losses or {"top": 0.5}).items()}
    return Recommendation(probes, blocks, skipped or {}, verified or {})
