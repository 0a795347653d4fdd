from PIL import Image

from tl_keras import evaluation


def test_the_page_is_self_contained_and_escapes_names(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "plot.png")
    evaluation.write_comparison_page(
        tmp_path / "compare.html",
        title="Does transfer pay on <photos>?",
        verdict="It pays.",
        lines=["More labels: 0.9."],
        plots=[("Accuracy", tmp_path / "plot.png")],
        tables=[("Costs", "The mean of one training.", [["method", "CPU s"], ["auto", "2.0"]])],
        notes=["A note."],
        versions={"keras": "3"},
    )
    page = (tmp_path / "compare.html").read_text()
    assert "<h1>Does transfer pay on &lt;photos&gt;?</h1>" in page
    assert '<tr><th>auto</th><td class="number">2.0</td></tr>' in page
    assert "A note." in page and "<span>keras 3</span>" in page
    assert "http" not in page.replace("http-equiv", "") and "<script" not in page
