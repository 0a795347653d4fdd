"""Malformed images, which are accepted and handled, or refused before training with a reason."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tl_keras.data.images import image_sets as images_module
from tl_keras.data.images.decoding import BadImage, read_image
from tl_keras.data.images.image_sets import ImageFiles, ImageLoading, load_image_splits
from tl_keras.data.images.resizing import RESIZES
from tl_keras.data.reading.folders import read_folders
from tl_keras.data.splitting import split_records
from tl_keras.errors import InputError

SIZE = (40, 30)


def noise(seed=0, size=SIZE):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8))


def encoded(image, image_format, **options):
    stream = io.BytesIO()
    image.save(stream, image_format, **options)
    return stream.getvalue()


def flipped(content, place):
    """Flips a bit at a fraction of the length of a file."""
    position = int(len(content) * place)
    return content[:position] + bytes([content[position] ^ 16]) + content[position + 1 :]


def png_header(width, height):
    """Makes a file of a hundred bytes whose header declares a huge image."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + body + encoded(noise(), "PNG")[33:]


def sixteen_bit_rgb():
    """Makes a PNG of two pixels, white and black, with 16 bits per channel, which Pillow reads but cannot write."""
    rows = zlib.compress(b"\0" + b"\xff" * 6 + b"\0" * 6)
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def turned():
    exif = Image.Exif()
    exif[274] = 6
    return exif


def long_text():
    """Makes a PNG of 100 kB with a text of 100 MB."""
    information = PngImagePlugin.PngInfo()
    information.add_text("comment", "x" * 100_000_000, zip=True)
    return encoded(noise(), "PNG", pnginfo=information)


def frames(image_format):
    return encoded(noise(0), image_format, save_all=True, append_images=[noise(1), noise(2)])


ACCEPTED = {
    "PNG named .jpg": lambda: encoded(noise(), "PNG"),
    "CMYK": lambda: encoded(noise().convert("CMYK"), "JPEG"),
    "RGBA": lambda: encoded(noise().convert("RGBA"), "PNG"),
    "LA": lambda: encoded(noise().convert("LA"), "PNG"),
    "palette": lambda: encoded(noise().quantize(16), "PNG"),
    "16 bit, grey": lambda: encoded(Image.fromarray(np.full((30, 40), 40_000, np.uint16)), "PNG"),
    "16 bit, colours": sixteen_bit_rgb,
    "EXIF rotation": lambda: encoded(noise(), "JPEG", exif=turned()),
    "broken EXIF": lambda: encoded(noise(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
    "animated GIF": lambda: frames("GIF"),
    "animated WebP": lambda: frames("WEBP"),
    "several images in a JPEG": lambda: frames("MPO"),
    "TIFF of several pages": lambda: frames("TIFF"),
    "AVIF": lambda: encoded(noise(), "AVIF"),
    "1 × 1": lambda: encoded(noise(size=(1, 1)), "PNG"),
    "1 × 30000": lambda: encoded(noise(size=(1, 30_000)), "PNG"),
    "bytes after its end": lambda: encoded(noise(), "PNG") + b"<html>",
}  # fmt: skip
REFUSED = {
    "truncated JPEG": (lambda: encoded(noise(), "JPEG")[:-200], "truncated"),
    "truncated PNG": (lambda: encoded(noise(), "PNG")[:-200], "truncated"),
    "bit flipped in a PNG": (lambda: flipped(encoded(noise(), "PNG"), 0.5), "damaged"),
    "bit flipped in a header": (lambda: flipped(encoded(noise(), "PNG"), 0.004), "damaged|recognised"),
    "zero bytes": (lambda: b"", "empty"),
    "only zeros": (lambda: bytes(1000), "not an image"),
    "HTML named .jpg": (lambda: b"<!doctype html><title>404</title>", "not an image"),
    "PostScript, which would be run": (lambda: encoded(noise(), "EPS"), "not an image"),
    "an icon": (lambda: encoded(noise(), "ICO"), "not an image"),
    "pixel bomb by its header": (lambda: png_header(60_000, 60_000), "more than 100 megapixels"),
    "pixel bomb just above the limit": (lambda: png_header(10_001, 10_000), "more than 100 megapixels"),
    "a text of 100 MB in a PNG": (long_text, "damaged"),
}


@pytest.mark.parametrize("row", ACCEPTED)
@pytest.mark.parametrize("resize", RESIZES)
def test_accepted(row, resize, tmp_path):
    (tmp_path / "x.jpg").write_bytes(ACCEPTED[row]())
    image = read_image(str(tmp_path / "x.jpg"), 16, resize)
    assert image.shape == (16, 16, 3) and image.dtype == np.uint8


@pytest.mark.parametrize("row", REFUSED)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_refused(row, tmp_path):
    make, reason = REFUSED[row]
    (tmp_path / "x.jpg").write_bytes(make())
    with pytest.raises(BadImage, match=reason) as caught:
        read_image(str(tmp_path / "x.jpg"), 16)
    assert "\n" not in str(caught.value)


def test_a_bit_flipped_in_a_jpeg_is_refused_or_gives_an_image(tmp_path):
    # JPEG has no checksums.
    content = encoded(noise(), "JPEG")
    for place in np.linspace(0.01, 0.99, 99):
        try:
            assert read_image(flipped(content, place), 16).shape == (16, 16, 3)
        except BadImage as error:
            assert error.reason


@pytest.fixture
def folder(tmp_path):
    """Ten images of each of two classes."""
    for seed in range(20):
        path = tmp_path / "data" / "ab"[seed % 2] / f"{seed}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise(seed).save(path)
    return tmp_path / "data"


def load(folder, **options):
    return load_image_splits(split_records(read_folders(folder)), 16, loading=ImageLoading(**options))


def refusal(folder):
    with pytest.raises(InputError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


NAMES = {
    "unicode": "größe 🐈.png".encode(),
    "space": b"an image .png",
    "newline": b"two\nlines.png",
    "not UTF-8": b"caf\xe9.png",
    "right to left": "\u202egnp.exe.png".encode(),
    "quotes and a formula": b"='\"<script>.png",
}


@pytest.mark.parametrize("row", NAMES)
def test_strange_names_of_files_and_classes(row, folder):
    for part in (b"a/" + NAMES[row], NAMES[row] + b"/x.png"):
        path = os.path.join(os.fsencode(folder), part)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(encoded(noise(len(path) + len(part)), "PNG"))
    splits = load(folder)
    names = [*splits.train.names, *splits.validation.names, *splits.test.names, *splits.class_names]
    assert len(names) == 22 + 3
    assert all(name.isprintable() and name.encode("utf-8") for name in names)


def test_loops_of_links_list_each_file_once(folder):
    (folder / "a" / "up").symlink_to(folder)
    (folder / "b" / "self").symlink_to(folder / "b")
    assert len(read_folders(folder)) == 20


def test_a_broken_link_is_refused(folder):
    (folder / "a" / "gone.png").symlink_to(folder / "nowhere.png")
    (folder / "a" / "self.png").symlink_to(folder / "a" / "self.png")
    message = refusal(folder)
    assert "a/gone.png (a link that leads nowhere)" in message and "a/self.png (a link that leads nowhere)" in message


def test_links_out_of_the_folder_are_followed(folder, tmp_path):
    noise(77).save(tmp_path / "far.png")
    (folder / "a" / "far.png").symlink_to(tmp_path / "far.png")
    (tmp_path / "more").mkdir()
    noise(78).save(tmp_path / "more" / "x.png")
    (folder / "a" / "more").symlink_to(tmp_path / "more")
    names = read_folders(folder).names
    assert {"a/far.png", "a/more/x.png"} < set(names) and len(names) == 22


def test_a_pipe_is_refused_without_waiting(folder):
    os.mkfifo(folder / "a" / "pipe.png")
    assert "a/pipe.png (not a file)" in refusal(folder)


def test_no_permission_to_read_a_file(folder, monkeypatch):
    original = Image.open

    def refuse(source, **options):
        if str(source).endswith("a/0.png"):
            raise PermissionError(13, os.strerror(13))
        return original(source, **options)

    monkeypatch.setattr(Image, "open", refuse)
    assert "1 of 20 images cannot be used: a/0.png (no permission to read it)" in refusal(folder)


def test_no_permission_to_read_folders(folder, monkeypatch):
    (folder / "b" / "deep").mkdir()
    original = os.scandir

    def refuse(path):
        if str(path).endswith(("/a", "/deep")):
            raise PermissionError(13, os.strerror(13))
        return original(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"a folder that cannot be read at .*/a \(Permission denied\), .*/b/deep \("):
        read_folders(folder)


def test_class_folders_that_look_alike(folder):
    (folder / "Dog").mkdir()
    (folder / "dog ").mkdir()
    for name in ("Dog", "dog "):
        noise(len(name)).save(folder / name / "x.png")
    with pytest.raises(InputError, match="class names that look alike at 'Dog' and 'dog ': use one name for one class"):
        read_folders(folder)


def into_splits(folder):
    """Moves the images into split folders: 12 for training, 4 for validation, 4 for testing."""
    for path in sorted(folder.glob("?/*.png")):
        number = int(path.stem)
        split = "train" if number < 12 else "val" if number < 16 else "test"
        target = folder / split / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    (folder / "a").rmdir()
    (folder / "b").rmdir()
    return folder


def test_duplicates_in_two_splits(folder):
    root = into_splits(folder)
    noise(0).save(root / "test" / "a" / "copy.bmp")
    noise(12).save(root / "train" / "a" / "copy.tif")
    message = refusal(root)
    assert "2 of 22 images cannot be used" in message
    assert "train/a/0.png (the same image as test/a/copy.bmp in the test split)" in message
    assert "train/a/copy.tif (the same image as val/a/12.png in the validation split)" in message
    splits = load(root, on_bad_file="skip")
    assert "train/a/0.png" not in splits.train.names and "test/a/copy.bmp" in splits.test.names
    assert len(splits.skipped) == 2 and len(splits.train) == 11


def test_duplicates_with_two_labels(folder):
    noise(0).save(folder / "b" / "copy.png")
    message = refusal(folder)
    assert "a/0.png (the same image as b/copy.png, which has another label)" in message
    assert "b/copy.png (the same image as a/0.png, which has another label)" in message
    splits = load(folder, on_bad_file="skip")
    assert sorted(name for name, _ in splits.skipped) == ["a/0.png", "b/copy.png"]


def test_near_duplicates_are_noted(folder):
    root, smooth = into_splits(folder), noise(0, (4, 3)).resize((160, 120))
    smooth.save(root / "train" / "a" / "one.png")
    smooth.resize((120, 90)).save(root / "test" / "a" / "larger.jpg", quality=80)
    (note,) = load(root).notes
    assert note == (
        "1 validation or test image nearly the same as a training image, look at: train/a/one.png and "
        "test/a/larger.jpg."
    )


def test_duplicates_in_one_split_are_counted(folder):
    root = into_splits(folder)
    for name in ("copy.png", "another.png"):
        noise(0).save(root / "train" / "a" / name)
    assert load(root).notes == ("2 of 22 images duplicate others in their split.",)


def test_images_of_a_single_colour_are_no_duplicates(folder):
    for name in ("a/white.png", "b/white.png"):
        Image.new("RGB", SIZE, "white").save(folder / name)
    splits = load(folder)
    assert splits.skipped == [] and splits.notes == ()


def test_all_problems_are_reported_in_one_message_and_no_file_is_touched(folder):
    (folder / "a" / "page.jpg").write_text("<html>")
    (folder / "b" / "empty.png").write_bytes(b"")
    (folder / "b" / "photo.heic").write_bytes(b"ftypheic")
    noise(0).save(folder / "b" / "copy.png")
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
    message = refusal(folder)
    for part in ("5 of 24 images", "a/page.jpg (not an", "b/empty.png (the file is empty", "b/photo.heic (a format"):
        assert part in message
    assert "b/copy.png (the same image as a/0.png" in message
    assert before == {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }


def test_more_bad_files_than_the_limit_are_refused(folder):
    for number in range(3):
        (folder / "a" / f"page{number}.jpg").write_text("<html>")
    with pytest.raises(InputError) as caught:
        load(folder, on_bad_file="skip")
    message = str(caught.value)
    assert message.startswith("3 of 23 files cannot be used, 13.0%, where --data.on_bad_file skip allows 2 files")
    assert message.endswith("replace or remove them, or allow more with --data.max_bad_files 0.131.")
    assert len(load(folder, on_bad_file="skip", max_bad_files=0.131).skipped) == 3


@pytest.mark.parametrize("change", ["rewritten", "removed"])
def test_a_file_that_changes_during_the_run(folder, change):
    images = load(folder, max_decoded_bytes=0).train.images
    assert isinstance(images, ImageFiles)
    unchanged, path = images[1], images.sources[0]
    noise(500).save(path) if change == "rewritten" else os.unlink(path)
    np.testing.assert_array_equal(images[1], unchanged)
    with pytest.raises(InputError, match="The image .*png has changed since the run started: restore the original"):
        images[0]


def test_files_of_images_in_memory_may_change(folder):
    images = load(folder).train.images
    for path in folder.rglob("*.png"):
        path.unlink()
    assert images.any()


def test_the_stamp_of_a_missing_file(tmp_path):
    assert images_module.file_stamp(str(tmp_path / "gone.png")) == (-1, 0)
    assert images_module.file_stamp(b"1234") == (4, 0)
