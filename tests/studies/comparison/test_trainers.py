import numpy as np

from tl_keras.config.parsing import parse
from tl_keras.studies.comparison import trainers
from tl_keras.studies.comparison.grid import Cell
from tl_keras.tasks.registry import TASKS


def test_cells_share_the_features_and_draw_their_own_labels(image_folder, monkeypatch):
    config = parse([str(image_folder), "--data.image_size", "32"])
    splits = TASKS[config.task].load_data(config)
    shared, drawn = [], []

    def solve_cell(config, splits, features, method, rows):
        drawn.append((features, config.seed, len(rows)))
        probabilities = np.eye(3)[TASKS[config.task].example_labels(splits.test)]
        costs = {"seconds": 1.0, "cpu_seconds": 1.0, "steps": 0, "multiply_adds": 1, "joules": None}
        return probabilities, costs, f"head of {len(rows)}"

    monkeypatch.setattr(trainers, "share_features", lambda *_: shared.append("features") or shared[0])
    monkeypatch.setattr(trainers, "solve_cell", solve_cell)
    monkeypatch.setattr(trainers, "describe_suspicious", lambda config, splits, solved: [f"by the {solved}"])
    trainer = trainers.Trainers(config, splits, ("solved_head",), ("2",), limit=None)
    results = [trainer.train(Cell("solved_head", "2", draw)) for draw in range(2)]
    assert shared == ["features"] and drawn == [("features", config.seed + draw, 6) for draw in range(2)]
    assert [result.labels for result in results] == [6, 6]
    assert set(results[0].correct) == {"1"} and len(results[0].correct) == len(splits.test)
    assert trainer.suspicious == [], "only a head on all labels judges them"
    trainer.train(Cell("solved_head", "all", 0))
    assert trainer.suspicious == [f"by the head of {len(splits.train)}"]
