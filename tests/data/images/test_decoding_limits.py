import io
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from tl_keras.data.images import decoding, decoding_limits
from tl_keras.data.images.decoding import BadImage, read_image
from tl_keras.data.images.decoding_limits import START_OF_SCAN, PixelBudget


def progressive(scans, image_format="JPEG"):
    """Returns a progressive JPEG whose last scan is repeated, so that it has this number of scans."""
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(noise).save(stream, image_format, progressive=True)
    content = stream.getvalue()
    last = content[content.rindex(START_OF_SCAN) : -2]
    return content[:-2] + last * (scans - content.count(START_OF_SCAN)) + content[-2:]


def test_a_progressive_image_is_read():
    assert read_image(progressive(10), 8).shape == (8, 8, 3)


def test_thousands_of_scans_are_refused():
    with pytest.raises(BadImage, match="2000 scans for 16 × 16 pixels"):
        read_image(progressive(2_000), 8)


def test_fewer_scans_of_a_large_image_are_refused(monkeypatch):
    monkeypatch.setattr(decoding_limits, "MAX_SCAN_MEGAPIXELS", 0.004)
    read_image(progressive(15), 8)
    with pytest.raises(BadImage, match="16 scans for 16 × 16 pixels"):
        read_image(progressive(16), 8)


def test_images_beyond_the_budget_wait_for_the_others():
    budget, order = PixelBudget(100), []

    def read(name, pixels):
        with budget.hold(pixels):
            order.append(name)

    with budget.hold(60):
        small = threading.Thread(target=read, args=("small", 40))
        small.start()
        small.join(5)
        large = threading.Thread(target=read, args=("large", 1_000))
        large.start()
        large.join(0.05)
        assert order == ["small"]
    large.join(5)
    assert order == ["small", "large"]


def test_the_budget_is_free_again_after_a_damaged_image(monkeypatch):
    held = []

    class Watched(PixelBudget):
        def hold(self, pixels):
            held.append(pixels)
            return super().hold(pixels)

    budget = Watched(100)
    monkeypatch.setattr(decoding, "IN_FLIGHT", budget)
    stream = io.BytesIO()
    Image.new("RGBA", (90, 90)).save(stream, "PNG")
    with pytest.raises(BadImage, match="truncated|damaged"):
        read_image(stream.getvalue()[:80], 8)
    assert read_image(stream.getvalue(), 8).shape == (8, 8, 3)
    assert held[-1] == 90 * 90


@pytest.mark.parametrize(("options", "pixels"), [({}, 128 * 128), ({"progressive": True}, 1024 * 1024)])
def test_a_jpeg_counts_with_the_size_that_is_decoded(monkeypatch, options, pixels):
    held = []
    monkeypatch.setattr(
        decoding.IN_FLIGHT, "hold", lambda count: held.append(count) or decoding_limits.contextlib.nullcontext()
    )
    stream = io.BytesIO()
    Image.new("RGB", (1024, 1024)).save(stream, "JPEG", **options)
    read_image(stream.getvalue(), 64)
    assert held == [pixels]


PEAK = """
import io, resource, threading
from concurrent.futures import ThreadPoolExecutor
from PIL import Image
from tl_keras.data.images import decoding, decoding_limits
decoding.IN_FLIGHT = decoding_limits.PixelBudget(9_000_000)
stream = io.BytesIO()
Image.new("RGBA", (3000, 3000)).save(stream, "PNG")
decoding.read_image(stream.getvalue(), 32)
one = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ThreadPoolExecutor(6, initializer=threading.Barrier(6).wait) as pool:
    list(pool.map(lambda _: decoding.read_image(stream.getvalue(), 32), range(6)))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - one) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of the peak memory is that of Linux")
def test_many_threads_take_the_memory_of_one():
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True)
    # An image takes 144 MB while it is converted; five more would take 720 MB.
    assert float(done.stdout) < 72, done.stderr
