import os
import socket

import pytest

from tl_keras.demo_page import serving
from tl_keras.errors import InputError


def test_a_port_in_use_is_refused_with_a_free_one():
    with socket.socket() as taken:
        taken.bind((serving.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"Port {port} of this machine is in use: give --port another one, such"):
            serving.check_port(port)
    serving.check_port(port)


@pytest.mark.parametrize("port", [0, 70000])
def test_a_port_that_cannot_exist_is_refused(port):
    with pytest.raises(InputError, match="must lie from 1 to 65535"):
        serving.check_port(port)


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setattr(serving.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install 'gradio"):
        serving.require_gradio()


def test_settings_are_private_and_uploads_are_removed(monkeypatch):
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "True")
    monkeypatch.setenv("no_proxy", "example.org")
    before = dict(os.environ)
    with serving.private_settings():
        uploads = os.environ["GRADIO_TEMP_DIR"]
        assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False" and os.path.isdir(uploads)
        assert os.environ["NO_PROXY"] == "example.org,127.0.0.1,localhost"
    assert dict(os.environ) == before and not os.path.exists(uploads)
