import contextlib

import numpy as np
import pytest
from matplotlib.text import Text

from tl_keras.evaluation import figures, learning_rate_plot

RATES = np.geomspace(1e-6, 1, 61)
FALL = 2 - 1.5 / (1 + (1e-3 / RATES))


@pytest.fixture
def drawn(monkeypatch):
    saved = []

    @contextlib.contextmanager
    def keep(path, width, height):
        with figures.saved_figure(path, width, height) as figure:
            yield figure
        saved.append(figure)

    monkeypatch.setattr(learning_rate_plot, "saved_figure", keep)
    return saved


def draw(path, losses=FALL, suggestion=1e-3):
    learning_rate_plot.plot_learning_rate_curve(RATES, losses, losses, suggestion, path)


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_the_suggestion_is_marked_on_the_curve_and_in_the_title(tmp_path, drawn, recwarn):
    draw(tmp_path / "new" / "curve.png")
    assert (tmp_path / "new" / "curve.png").read_bytes().startswith(b"\x89PNG")
    written = texts(drawn[0])
    assert {"Learning rate: 1.0e-03", "smoothed", "each batch", "1e-6", "1e-3", "1e0"} <= set(written)
    assert not any("$" in text for text in written)
    (ring,) = [line for line in drawn[0].axes[0].lines if line.get_marker() == "o"]
    np.testing.assert_allclose(ring.get_xydata()[0], [1e-3, 1.25], rtol=1e-6)
    assert not recwarn.list


def test_the_title_reports_a_missing_suggestion(tmp_path, drawn):
    draw(tmp_path / "curve.png", suggestion=None)
    assert "Learning rate: no suggestion, the loss never fell" in texts(drawn[0])
    assert not [line for line in drawn[0].axes[0].lines if line.get_marker() == "o"]


def test_a_diverged_loss_does_not_flatten_the_curve(tmp_path, drawn):
    draw(tmp_path / "curve.png", losses=np.where(RATES > 0.1, 1e6, FALL))
    bottom, top = drawn[0].axes[0].get_ylim()
    assert bottom < 0.6
    assert 2 < top < 4


def test_a_constant_loss_can_be_drawn(tmp_path, drawn, recwarn):
    draw(tmp_path / "curve.png", losses=np.ones(61), suggestion=None)
    assert not recwarn.list
