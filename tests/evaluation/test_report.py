import base64
import re

import numpy as np
import pytest

from tests.evaluation.report_parts import METRICS, PHASE, all_examples, write_whole_report
from tl_keras.evaluation.classification import classification_metrics
from tl_keras.evaluation.report import ReportExamples, write_report
from tl_keras.evaluation.tiles import Tile


@pytest.fixture
def report(tmp_path):
    """Function that writes a report and returns its text; arguments replace the defaults."""

    def write(**parts):
        defaults = {
            "title": "Cats and dogs",
            "metrics": METRICS,
            "phases": [PHASE],
            "config_text": "seed: 0",
            "plots": [],
            "skipped": [],
            "versions": {"keras": "3.15.1"},
        }
        write_report(tmp_path / "report.html", **(defaults | parts))
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return write


@pytest.fixture
def whole_report(tmp_path):
    """Text of a report with every section."""
    (tmp_path / "plot.png").write_bytes(b"plot")
    write_whole_report(tmp_path / "report.html", tmp_path / "plot.png")
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def row(page, name):
    """Returns the cells of the table row that starts with `name`."""
    cells = re.search(rf"<tr><th>{name}</th>(.*?)</tr>", page, re.DOTALL).group(1)
    return re.findall(r"<t[dh][^>]*>(?:<div>)?(.*?)(?:</div>)?</t[dh]>", cells, re.DOTALL)


def test_the_report_shows_metrics_phases_versions_and_configuration(report):
    page = report()
    assert "<h1>Cats and dogs</h1>" in page
    assert "<dt>Accuracy</dt><dd>75.0 %</dd>" in page
    assert "<span>keras 3.15.1</span>" in page
    assert ">seed: 0</pre>" in page
    assert row(page, "head") == ["head, b5", "12,345", "0.001", "2", "–", "–"]
    assert row(page[page.index("weakest first") :], "cat")[:4] == ["2", "1.00", "0.50", "0.67"]


def test_weakest_class_comes_first(report):
    page = report()
    assert page.index("<tr><th>cat</th><td") < page.index("<tr><th>&lt;b&gt;dog</th><td")


def test_classes_that_were_not_tested_are_named(report):
    metrics = classification_metrics([0, 1], np.eye(3)[:2], ["cat", "dog", "<b>cow"])
    note = "The figures are for 2 of 3 classes: there is no tested example of &lt;b&gt;cow."
    assert note in report(metrics=metrics) and "no tested example" not in report()


def test_lists_the_confused_pairs(report):
    page = report()
    assert row(page[page.index("Most often confused") :], "cat")[:3] == ["&lt;b&gt;dog", "1", "50 %"]


def test_plots_are_embedded_and_nothing_is_fetched(report, tmp_path):
    (tmp_path / "plot.png").write_bytes(b"no image")
    page = report(plots=[("A plot", tmp_path / "plot.png")])
    assert f"data:image/png;base64,{base64.b64encode(b'no image').decode()}" in page
    assert "default-src 'none'" in page
    assert not re.search(r"https?:|<script|<link|@import|url\(", page)


def test_a_missing_plot_is_an_error(report, tmp_path):
    with pytest.raises(FileNotFoundError):
        report(plots=[("A plot", tmp_path / "missing.png")])


@pytest.mark.parametrize(
    "part",
    [
        *(
            "title",
            "config_text",
            "phases",
            "skipped",
            "versions",
            "metrics",
            "baselines",
            "verdict",
            "mistakes",
            "notes",
        ),
        *("notes", "facts", "decisions", "suspicious", "examples"),
    ],
)
def test_names_cannot_inject_markup(report, part):
    evil = "</pre><script>alert(1)</script>"
    values = {
        "phases": [PHASE | {"name": evil, "blocks": [evil]}],
        "skipped": [(evil, evil)],
        "versions": {evil: evil},
        "metrics": METRICS | {"per_class": {evil: METRICS["per_class"]["cat"], "dog": METRICS["per_class"]["cat"]}},
        "baselines": [{"name": evil, "accuracy": 0.5}],
        "verdict": [evil],
        "mistakes": [{"text": evil, "true": evil, "predicted": evil, "probability": 0.5}],
        "notes": [evil],
        "facts": [(evil, evil), ("Command", evil)],
        "decisions": [evil],
        "suspicious": [evil],
        "examples": all_examples(evil),
    }
    page = report(**{part: values.get(part, evil)})
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_intervals_stand_below_the_metrics_and_are_explained(report):
    page = report(metrics=METRICS | {"intervals": {"accuracy": [0.301, 0.954]}})
    assert "<dd>75.0 %<small>30.1 % to 95.4 %</small></dd>" in page
    assert page.count("<small>") == 1
    assert "Intervals are at 95 %" in page
    assert "<small>" not in report() and "Intervals" not in report()


def test_the_calibration_error_is_explained(report):
    assert "Calibration error 0.400: the probability of the predicted class differs" in report()
    assert "Calibration error" not in report(metrics={"mean_average_precision": 0.5})


def test_baselines_stand_in_a_table_with_the_network(report):
    baseline = {"name": "TF-IDF", "accuracy": 0.25, "intervals": {"accuracy": [0.1, 0.5]}, "seconds": 1.234}
    page = report(baselines=[baseline], verdict=["It is above.", "Warning: it is below."])
    assert row(page, "this network") == ["75.0 %", "–"]
    assert row(page, "TF-IDF") == ["25.0 % (10.0 % to 50.0 %)", "1.2"]
    assert '<p class="verdict">It is above.</p>' in page and '<p class="verdict">Warning: it is below.</p>' in page
    assert "Baselines" not in report()


def test_skipped_files_are_listed_up_to_a_maximum(report):
    assert "Skipped files" not in report()
    page = report(skipped=[(f"{index}.png", "truncated") for index in range(1250)])
    assert "1,250 files could not be used" in page
    assert row(page, "199.png") == ["truncated"]
    assert "200.png" not in page
    assert "… and 1,050 more" in page


def test_metrics_without_classes_are_shown(report):
    page = report(metrics={"mean_average_precision": None}, phases=[], config_text="")
    assert "<dt>mAP</dt><dd>–</dd>" in page
    assert "<table" not in page


def test_multi_label_metrics_are_shown(report):
    metrics = classification_metrics([[1, 0]], [[0.9, 0.2]], ["cat", "dog"], multi_label=True)
    assert "<dt>Subset accuracy</dt><dd>100.0 %</dd>" in report(metrics=metrics)


def test_mistakes_in_texts_are_shown(report):
    assert "Most confident mistakes" not in report()
    mistake = {"text": "not bad at all", "true": "positive", "predicted": "negative", "probability": 0.987}
    assert row(report(mistakes=[mistake]), "not bad at all") == ["positive", "negative", "98.7 %"]


def test_mistakes_of_a_detector_are_counted_by_kind(report):
    classes = {"cat": {"precision": 1.0, "recall": 0.5, "f1": 0.67, "support": 4}}
    classes["cat"] |= {"average_precision": 0.25, "average_precision_50": 0.75}
    metrics = {"average_precision_50": 0.75, "mistakes": {"missed": 2, "duplicate": 3}, "per_class": classes}
    page = report(metrics=metrics)
    assert "<dt>mAP 50</dt><dd>0.750</dd>" in page
    kinds = page[page.index("Mistakes by kind") :]
    assert kinds.index("Duplicate") < kinds.index("Missed")
    assert row(kinds, "Missed") == ["an object without a prediction", "2"]
    assert row(page[page.index("weakest first") :], "cat")[:6] == ["4", "1.00", "0.50", "0.67", "0.25", "0.75"]


def test_classes_without_a_test_example_are_listed_last_and_without_figures(report):
    metrics = classification_metrics([0, 1], np.eye(3)[[0, 2]], ["cat", "dog", "unseen"])
    page = report(metrics=metrics)
    classes = page[page.index("weakest first") :]
    assert classes.index("dog") < classes.index("cat") < classes.index("unseen")
    assert row(classes, "unseen")[:4] == ["0", "–", "–", "–"]


def test_notes_are_shown_below_the_headlines(report):
    page = report(notes=["5.0% of the texts were too long."], metrics=METRICS | {"cut_texts_share": 0.05})
    assert "<p>5.0% of the texts were too long.</p>" in page
    assert "<dt>Texts cut</dt><dd>5.0 %</dd>" in page


def test_captions_and_file_names_of_plots_cannot_inject_markup(report, tmp_path):
    evil = '"><script>alert(1)<'
    (tmp_path / f"{evil}.png").write_bytes(b"plot")
    page = report(plots=[(evil, tmp_path / f"{evil}.png")])
    assert "<script" not in page
    assert 'alt="&#34;&gt;&lt;script&gt;' in page


def test_the_policy_of_the_page_allows_no_requests_and_no_scripts(report):
    head = report().split("<style>")[0]
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">', head).group(1)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("img-src") == "data:" and rules.pop("style-src") == "'unsafe-inline'"
    assert set(rules) == {"default-src", "base-uri", "form-action"} and set(rules.values()) == {"'none'"}


def test_a_confident_share_is_drawn_and_explained(whole_report):
    assert whole_report.count("<svg") == 2 and "Unsure below 0.65" in whole_report
    assert "<code>predict --min_confidence auto</code> applies it." in whole_report and "`" not in whole_report
    assert row(whole_report, "cat")  # the counts
    assert "<dt>Command</dt><dd><code>python -m tl_keras.train cat</code></dd>" in whole_report


def test_a_report_of_several_labels_describes_the_temperature_without_a_diagram(report):
    page = report(metrics=METRICS | {"confidence": {"temperature": 1.0}})
    assert "<h2>Confidence</h2>" in page and "Temperature: none is fitted" in page and "<svg" not in page


def test_a_report_of_boxes_draws_no_diagram_of_confidence(report):
    assert "<svg" not in report(metrics={"mean_average_precision": 0.5})


def test_words_that_raise_the_probability_differ_from_those_that_lower_it(whole_report):
    shades = re.findall(r'class="word" style="background: rgb\((.*?)\)" title="(.*?)"', whole_report)
    assert shades == [("0 114 178 / 70%", "+0.500"), ("213 94 0 / 70%", "-0.500")]


def test_headings_descend_one_level_at_a_time(whole_report):
    levels = [int(level) for level in re.findall(r"<h(\d)", whole_report)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_readers_of_the_screen_get_a_language_and_names_for_all_they_meet(whole_report):
    assert '<html lang="en">' in whole_report
    for tag in re.findall(r"<img[^>]*>", whole_report):
        assert re.search(r'alt="[^"]+"', tag), tag
    for tag in re.findall(r"<(?:svg|input)[^>]*>", whole_report):
        assert re.search(r'aria-label="[^"]+"', tag), tag
    assert not re.search(r"<t[hd][^>]*></t[hd]>", whole_report)


def test_what_is_wider_than_a_phone_scrolls_and_is_reached_by_keyboard(whole_report):
    regions = re.findall(r'<(?:div|pre)[^>]*tabindex="0" role="region" aria-label="([^"]+)"', whole_report)
    assert len(regions) == len(set(regions)) == whole_report.count("<table") + 2
    before_tables = [whole_report[: match.start()].rstrip() for match in re.finditer("<table", whole_report)]
    assert all(re.search(r'<div class="table"[^>]*>$', before) for before in before_tables)
    style = whole_report.split("<style>")[1].split("</style>")[0]
    for rule in (".table {", "figure .frame {", "  pre {"):
        assert "overflow-x: auto" in style.split(rule)[1].split("}")[0], rule


def colours(style):
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", style))


def contrast(first, second):
    """Computes the contrast ratio of WCAG 2.2."""

    def luminance(colour):
        values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in values]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_letters_stand_out_in_the_light_in_the_dark_and_on_paper(report):
    style = report().split("<style>")[1]
    light = colours(style.split("@media")[0])
    dark = light | colours(style.split("prefers-color-scheme: dark")[1].split("@media")[0].split("* {")[0])
    paper = light | colours(style.split("@media print")[1])
    assert dark["page"] != light["page"] != paper["page"]
    for scheme in (light, dark, paper):
        for ink in ("ink", "grey", "orange"):
            for ground in ("page", "card"):
                assert contrast(scheme[ink], scheme[ground]) >= 4.5, (ink, ground, scheme)
        assert contrast("#ffffff", scheme["blue"]) >= 4.5
        assert contrast(scheme["draw"], scheme["card"]) >= 3


def test_names_that_are_not_utf8_do_not_stop_the_report(report):
    assert "<h1>caf?</h1>" in report(title="caf\udce9")


def test_names_from_right_to_left_are_isolated_in_captions_and_sentences(report):
    dog, cat = "\u05db\u05dc\u05d1", "\u0642\u0637\u0629"
    tile = Tile((dog, f"\u2192 {cat} 98%"), text=f"{dog} 12", is_mistake=True)
    page = report(
        examples=ReportExamples(worst=(tile,), by_class=((dog, (), (tile,)),)),
        verdict=[f"{dog} 60 %, `runs/{cat} 1`"],
        notes=[f"{cat} 3"],
        suspicious=[f"a.png: {dog} 0.02, suggested {cat} 0.95"],
    )
    assert page.count(f"<bdi>{cat}</bdi> 98%") == 2 and f"<bdi>{dog}</bdi> 60 %" in page
    assert f"<bdi>{cat}</bdi> 3" in page and f"suggested <bdi>{cat}</bdi> 0.95" in page
    assert f"<code>runs/{cat} 1</code>" in page
