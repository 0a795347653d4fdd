"""The page, clicked through in headless Chromium: `pip install .[demo] selenium` and the package chromium-driver."""

import json
import os
import socket
import subprocess
import sys

import pytest

from tests.headless_chromium import open_chromium
from tl_keras.demo_page.serving import HOST

pytestmark = pytest.mark.slow
pytest.importorskip("gradio", reason="the extra demo is not installed: pip install '.[demo]'")
wait = pytest.importorskip("selenium.webdriver.support.wait", reason="selenium is not installed")
MAX_SECONDS = 120
ONLY_ITSELF = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
FONTS_AND_IMAGES_OF_THE_BROWSER = ("chrome", "data:", "blob:")


@pytest.fixture
def browser(tmp_path):
    flags = ("--window-size=1200,900", ONLY_ITSELF)
    with open_chromium(tmp_path / "profile", *flags, logs=("browser", "performance")) as found:
        yield found


@pytest.fixture
def address(finished_run):
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    folder = str(finished_run[0])
    command = [sys.executable, "-m", "tl_keras.demo", folder, folder, "--port", str(port)]
    # A proxy that is not there: whatever asks the network fails.
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | proxies) as process:
        yield next(line for line in process.stdout if line.startswith("demo: ")).split()[1]
        process.terminate()
        assert process.wait(MAX_SECONDS) == 143


def wait_for(browser, script):
    """Waits until a script in the page returns something."""
    return wait.WebDriverWait(browser, MAX_SECONDS).until(lambda one: one.execute_script(f"return {script}"))


def test_an_image_and_an_example_are_answered_without_a_network(browser, address, image_folder):
    browser.get(address)
    wait_for(browser, "document.querySelector('input[type=file]')").send_keys(str(image_folder / "red" / "red-00.png"))
    titles = "[...document.querySelectorAll('[data-testid=label-output-value]')].map(one => one.innerText)"
    first = wait_for(browser, f"{titles}.length == 2 && {titles}")
    assert set(first) <= {"blue", "green", "red"}
    notes = "[...document.querySelectorAll('textarea')].filter(one => one.value.startsWith('Red parts')).length"
    assert wait_for(browser, f"{notes} == 2")
    shown = "document.querySelector('[data-testid=image] img').src"
    before = wait_for(browser, shown)
    browser.execute_script("document.querySelector('[data-testid=dataset-cell-0-0]').click()")
    assert wait_for(browser, f"{shown} != {before!r} && {notes} == 2 && {shown}")
    requested = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {one["params"]["request"]["url"] for one in requested if one["method"] == "Network.requestWillBeSent"}
    assert not [url for url in urls if not url.startswith((address, *FONTS_AND_IMAGES_OF_THE_BROWSER))]
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
