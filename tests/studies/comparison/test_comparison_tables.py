from tests.studies.comparison.comparisons import make_box_comparison, make_comparison
from tl_keras.studies.comparison.comparison_files import summary_lines
from tl_keras.studies.comparison.comparison_tables import list_tables

ACCURACIES = {"solved_head": (0.6, 0.8, 0.9), "auto": (0.3, 0.6, 0.95), "scratch": (0.5, 0.6, None)}


def tables_of(comparison, price=None):
    return {heading: rows for heading, _, rows in list_tables(comparison, price)}


def test_every_table_has_a_row_for_each_method_with_its_figures():
    tables = tables_of(make_comparison(ACCURACIES))
    assert list(tables) == ["Accuracy", "Gain from transfer", "Labels saved", "Time to accuracy", "Cost"]
    assert tables["Accuracy"][0] == ["method", "5 a class", "20 a class", "all labels"]
    assert tables["Accuracy"][3] == ["scratch", "0.500 ± 0.010", "0.600 ± 0.010", "–"]
    harmed = tables["Gain from transfer"][2]
    assert harmed[1].startswith("-20.0 (") and harmed[1].endswith(" !") and harmed[3] == "–"
    assert tables["Gain from transfer"][1][1].endswith(" *")
    assert tables["Labels saved"][1][2:] == ["> 200", "> 200"]
    assert tables["Labels saved"][2][1] == "≤ 50"
    assert tables["Time to accuracy"][1] == ["solved_head", "50", "2.0", "10"]


def test_money_and_energy_are_shown_where_they_are_known():
    tables = tables_of(make_comparison(ACCURACIES, joules=500.0), price=36)
    assert tables["Cost"][0] == ["method", "CPU s", "elapsed s", "steps", "GFLOP", "kJ", "price"]
    assert tables["Cost"][1] == ["solved_head", "2.0", "1.0", "10", "2", "0.50", "0.01000"]
    assert "kJ" not in tables_of(make_comparison(ACCURACIES))["Cost"][0]
    assert tables_of(make_comparison(ACCURACIES, multiply_adds=None))["Cost"][0] == [
        "method",
        "CPU s",
        "elapsed s",
        "steps",
    ]


def test_costs_are_those_of_the_most_labels_that_were_measured():
    comparison = make_comparison({"solved_head": (0.6, 0.8, None), "scratch": (0.5, None, None)})
    heading, explanation, rows = list_tables(comparison)[-1]
    assert heading == "Cost" and [row[0] for row in rows] == ["method", "solved_head"]
    assert rows[1][1:] == ["2.0", "1.0", "10", "2"]
    assert "one training with 20 labels a class" in explanation
    assert explanation.endswith(
        "With more labels nothing was measured. FLOPs are those of the kernels, twice the multiply-adds."
    )


def test_without_any_cell_there_is_no_cost():
    assert list(tables_of(make_comparison({"solved_head": (None,) * 3, "scratch": (None,) * 3}))) == ["Accuracy"]


def test_without_training_from_scratch_nothing_is_compared():
    assert list(tables_of(make_comparison({"auto": (0.5, 0.6, 0.7)}))) == ["Accuracy", "Cost"]


def test_one_draw_claims_no_spread():
    (_, explanation, rows), *_ = list_tables(make_comparison({"auto": (0.5, 0.6, 0.7)}, draws=1))
    assert rows[1] == ["auto", "0.500", "0.600", "0.700"] and explanation.startswith(
        "Accuracy on 200 test examples; one draw has no"
    )


def test_too_few_test_examples_give_no_gain_in_any_file():
    comparison = make_comparison({"auto": (0.9,) * 3, "scratch": (0.6,) * 3}, num_test=29)
    assert [heading for heading, *_ in list_tables(comparison)] == ["Accuracy", "Cost"]
    assert "+30" not in "\n".join(summary_lines(comparison))
    enough = make_comparison({"auto": (0.9,) * 3, "scratch": (0.6,) * 3}, num_test=30)
    assert "Gain from transfer" in [heading for heading, *_ in list_tables(enough)]


def test_a_single_number_of_labels_from_scratch_says_why_none_are_saved():
    comparison = make_comparison({"auto": (0.6, 0.8, 0.9), "scratch": (None, 0.4, None)})
    (explanation,) = (text for heading, text, _ in list_tables(comparison) if heading == "Labels saved")
    assert explanation.endswith("its only measured number of labels: give --budgets two or more.")


def test_one_draw_of_boxes_claims_no_interval_over_draws():
    precisions = {"progressive_unfreezing": (0.4, 0.5, 0.6), "scratch": (0.1, 0.2, 0.3)}
    explanations = {
        draws: next(
            text
            for heading, text, _ in list_tables(make_box_comparison(precisions, draws))
            if heading == "Gain from transfer"
        )
        for draws in (1, 2)
    }
    assert "95 % intervals over test images;" in explanations[1]
    assert "One draw does not show how much other labels would change it" in explanations[1]
    assert "95 % intervals over draws and test images;" in explanations[2] and "One draw" not in explanations[2]
