"""Measures the share of decoding in a bulk prediction of photographs, and another decoder of JPEG beside Pillow.

    python benchmarks/decoding.py RUN --images 2000

Synthesises photographs of 1600 × 1200 pixels with texture at several scales, and prints processor milliseconds for each
image, in turns: reading as the project does, decoding and resizing by simplejpeg (if it is installed) at the same
scale, and the network of the run. The last lines say by how much simplejpeg could speed up a bulk prediction, and how
far its pixels are from those that the network was trained on.
"""

import argparse
import importlib.util
import io
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from PIL import Image

import tl_keras as tl

SIZE, QUALITY = (1600, 1200), 90
DISTINCT = 24
"""Photographs that are synthesised; they are read again and again, from memory."""
DETAILS = (6, 24, 96, 400)
"""Columns of the random grids that a photograph is the sum of."""


def synthesise(generator):
    """Returns the bytes of a JPEG."""
    pixels = 128 + generator.normal(0, 5, (SIZE[1], SIZE[0], 1)).astype("float32")
    for columns in DETAILS:
        grid = generator.normal(0, 150 / columns**0.5, (3, 3 * columns // 4, columns)).astype("float32")
        enlarged = [np.asarray(Image.fromarray(one).resize(SIZE, Image.Resampling.BICUBIC)) for one in grid]
        pixels = pixels + np.stack(enlarged, axis=-1)
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def read_by_simplejpeg(photo, side):
    """Reads a photograph as `tl.data.read_image` does, but decoded by simplejpeg."""
    import simplejpeg

    image = Image.fromarray(simplejpeg.decode_jpeg(photo, "RGB", min_height=2 * side, min_width=2 * side))
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0))


def main():
    """Runs the measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN", help="run on images")
    parser.add_argument("--images", type=int, default=2000)
    options = parser.parse_args()
    run, generator = tl.load_run(options.run), np.random.default_rng(0)
    side, photos = run.image_size, [synthesise(generator) for _ in range(DISTINCT)]
    images = np.stack([tl.data.read_image(photo, side) for photo in photos])
    steps = {"pillow": lambda: [tl.data.read_image(photo, side) for photo in photos]}
    if importlib.util.find_spec("simplejpeg"):
        steps["simplejpeg"] = lambda: [read_by_simplejpeg(photo, side) for photo in photos]
    steps["network"] = lambda: run.model.predict_on_batch(images)
    steps["network"]()
    seconds = dict.fromkeys(steps, 0.0)
    rounds = -(-options.images // DISTINCT)
    for _ in range(rounds):
        for name, step in steps.items():
            started = time.process_time()
            step()
            seconds[name] += time.process_time() - started
    milliseconds = {name: 1000 * total / rounds / DISTINCT for name, total in seconds.items()}
    print(f"{rounds * DISTINCT} photographs of {np.mean(list(map(len, photos))) / 1000:.0f} kB, {side} pixels")
    print("  ".join(f"{name} {value:.2f} ms" for name, value in milliseconds.items()))
    today = milliseconds["pillow"] + milliseconds["network"]
    print(f"share of decoding: {milliseconds['pillow'] / today:.0%} of {today:.1f} ms")
    if "simplejpeg" in milliseconds:
        faster = today / (milliseconds["simplejpeg"] + milliseconds["network"])
        others = np.stack(steps["simplejpeg"]())
        distance = np.abs(others.astype(int) - images).max()
        print(f"simplejpeg: {faster:.2f} times the images a second, pixels differ by up to {distance} of 255")


if __name__ == "__main__":
    main()
