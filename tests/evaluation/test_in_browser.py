"""Pages in headless Chromium, on a phone and on a screen: `pip install selenium` and the package chromium-driver.

Where the variable AXE names the file axe.min.js of npm's axe-core, it looks for barriers, too.
"""

import os
from pathlib import Path

import pytest
from PIL import Image

from tests.evaluation.report_parts import all_examples, write_whole_report
from tests.headless_chromium import open_chromium
from tl_keras.evaluation.studies.comparison_page import write_comparison_page
from tl_keras.evaluation.tiles import embed_image

pytestmark = pytest.mark.slow
NAME = "a_very_long_name_without_a_blank" * 8
BARRIERS = "const done = arguments[0]; axe.run().then(found => done(found.violations))"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    profile = tmp_path_factory.mktemp("profile")
    with open_chromium(profile, "--host-resolver-rules=MAP * ~NOTFOUND") as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Dict from the name of a page to its path; every name in them is long."""
    folder = tmp_path_factory.mktemp("pages")
    plot = Image.new("RGB", (1400, 900), "navy")
    plot.save(folder / "plot.png")
    paths = {name: folder / f"{name}.html" for name in ("images", "texts", "comparison")}
    examples = all_examples(NAME, embed_image(plot))
    write_whole_report(paths["texts"], folder / "plot.png", NAME, examples=examples)
    images = type(examples)(**vars(examples) | {"worst": examples.sheet})
    write_whole_report(paths["images"], folder / "plot.png", NAME, examples=images)
    write_comparison_page(
        paths["comparison"],
        title=NAME,
        verdict=NAME,
        lines=[NAME],
        plots=[(NAME, folder / "plot.png")],
        tables=[("Costs", NAME, [["method", *["CPU s"] * 12], [NAME, *["2.0"] * 12]])],
        notes=[NAME],
        versions={"keras": "3"},
    )
    return paths


def open_page(browser, path, width, scheme):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "screen", "features": features})
    browser.get(path.as_uri())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["images", "texts", "comparison"])
def test_a_page_fits_its_screen_without_errors_and_barriers(browser, pages, name, width, scheme):
    open_page(browser, pages[name], width, scheme)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(20, 24, 28)") == (scheme == "dark")
    plot = browser.execute_script("return document.querySelector('.frame img').getBoundingClientRect().width")
    assert plot >= 600, "the letters of a plot are too small to be read"
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    if axe := os.environ.get("AXE"):
        browser.execute_script(Path(axe).read_text(encoding="utf-8"))
        assert browser.execute_async_script(BARRIERS) == []
