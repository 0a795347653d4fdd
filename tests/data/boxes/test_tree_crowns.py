import numpy as np
import pytest
from PIL import Image

from tl_keras.data.boxes import tree_crowns
from tl_keras.data.boxes.find import find_boxes
from tl_keras.data.images.decoding import read_upright


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """Replaces the package by two small photographs with a crown every 50 pixels."""
    source = tmp_path / "package"
    source.mkdir()
    for name, width, height in ((tree_crowns._LARGE, 800, 2472), (tree_crowns._SMALL, 500, 400)):
        Image.fromarray(np.full((height, width, 3), 80, np.uint8)).save(source / f"{name}.png")
        boxes = [(left + 5, top + 5) for top in range(0, height - 40, 50) for left in range(0, width - 40, 50)]
        things = "".join(
            f"<object><name>Tree</name><bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{left + 30}</xmax>"
            f"<ymax>{top + 30}</ymax></bndbox></object>"
            for left, top in boxes
        )
        (source / f"{name}.xml").write_text(f"<annotation>{things}</annotation>")
    (source / "other.xml").write_text("of another kind")
    monkeypatch.setattr(tree_crowns, "fetch_asset", lambda asset: source)
    return source


def test_splits_show_different_places(photographs, tmp_path):
    tree_crowns.write_tree_crowns(tmp_path / "crowns")
    records = find_boxes(tmp_path / "crowns")
    # 800 × 2072 with 200 shared, 800 × 400, and 500 × 400.
    assert {split: len(records.rows(split)) for split in ("train", "validation", "test")} == {
        "train": 3 * 10,
        "validation": 2,
        "test": 2,
    }
    assert records.class_names == ("Tree",) and set(map(tuple, records.sizes.tolist())) == {(400, 400)}
    assert sum(len(records.boxes[row]) for row in records.rows("validation")) == 16 * 8
    assert read_upright(records.sources[0]).shape == (400, 400, 3)
    assert not list(tmp_path.glob("tmp*"))


@pytest.mark.slow
def test_the_real_photographs(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    records = find_boxes("tree_crowns")
    assert len(records) == 128 and sum(map(len, records.boxes)) == 1825 + 106 + 422
