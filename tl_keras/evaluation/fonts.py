"""Fonts of plots: which of the installed ones have the letters of a text, and numbers for names that none has."""

import functools
import unicodedata

import matplotlib
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from PIL import features

from tl_keras.system.escaping import for_terminal

FALLBACK_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Source Han Sans SC", "PingFang SC"),
    *("Microsoft YaHei", "SimHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Hiragino Sans"),
    *("Yu Gothic", "Malgun Gothic", "Apple SD Gothic Neo", "Arial Unicode MS", "Noto Sans", "Noto Sans Thai"),
    *("Noto Sans Arabic", "Noto Sans Devanagari", "Leelawadee UI", "Nirmala UI", "Arial"),
)
"""Families for letters that DejaVu Sans lacks, above all Chinese, Japanese, Korean, Thai and Indian ones."""
LEFT_TO_RIGHT_MARK = "\u200e"
_BESIDE_NAMES = "0123456789%"


@functools.cache
def installed_fonts():
    """Lists the usable families with their files.

    Returns:
        Dict from family to path, matplotlib's DejaVu Sans first.
    """
    files = {}
    for entry in font_manager.fontManager.ttflist:
        if entry.style == "normal" and entry.weight in (400, "normal", "regular"):
            files.setdefault(entry.name, entry.fname)
    dejavu = {"DejaVu Sans": f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"}
    return dejavu | {name: files[name] for name in FALLBACK_FONTS if name in files}


def font_file(text):
    """Finds the first installed font that has all letters of a text.

    Args:
        text: str.

    Returns:
        Path of the font file, str; None if no font has them all.
    """
    needed = {ord(letter) for letter in text if not letter.isspace()}
    return next((path for path in installed_fonts().values() if needed <= _letters(path)), None)


def drawable_names(class_names):
    """Replaces class names that no installed font, Pillow or matplotlib can draw by their numbers.

    Args:
        class_names: sequence of str.

    Returns:
        List of str: the names, see `in_order`, or "#3" for the third class.
    """
    return [in_order(name) if _can_be_drawn(name) else f"#{number}" for number, name in enumerate(class_names, start=1)]


def in_order(name):
    """Adds marks to a name from right to left, so that the caption around it keeps its order.

    Args:
        name: str.

    Returns:
        str; a name from left to right stays unchanged.
    """
    return f"{LEFT_TO_RIGHT_MARK}{name}{LEFT_TO_RIGHT_MARK}" if _is_from_right(name) else name


def shown_names(class_names):
    """Maps class names to what plots show for them, see `drawable_names`."""
    return dict(zip(class_names, drawable_names(class_names), strict=True))


def number_legend(class_names):
    """Explains the numbers of `drawable_names`.

    Args:
        class_names: sequence of str.

    Returns:
        str such as "#1 苹果, #2 香蕉", without control characters; "" if all names can be drawn.
    """
    numbered = enumerate(class_names, start=1)
    return ", ".join(f"#{number} {for_terminal(name)}" for number, name in numbered if not _can_be_drawn(name))


def legend_lines(class_names):
    """Returns the sentence for people on the numbers of `drawable_names`, in a list, or an empty list without any."""
    legend = number_legend(class_names)
    return [f"Some class names cannot be drawn here, so plots show numbers: {legend}."] if legend else []


def add_legend(caption, class_names):
    """Adds the legend of `number_legend` to the caption of a plot, if there is one.

    Args:
        caption: str.
        class_names: sequence of str.

    Returns:
        str such as "Confusion matrix (#1 苹果, #2 香蕉)".
    """
    legend = number_legend(class_names)
    return f"{caption} ({legend})" if legend else caption


def drawable_text(text):
    """Replaces letters that no installed font has by question marks.

    Args:
        text: str.

    Returns:
        str of the same length.
    """
    if font_file(text):
        return text
    known = frozenset().union(*map(_letters, installed_fonts().values()))
    return "".join(letter if letter.isspace() or ord(letter) in known else "?" for letter in text)


def _can_be_drawn(name):
    if _is_from_right(name) and not _orders_letters():
        return False
    return font_file(f"{in_order(name)} {_BESIDE_NAMES}") is not None


def _is_from_right(name):
    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name)


def _orders_letters():
    """Returns whether letters from right to left are ordered and joined, by Pillow and by matplotlib."""
    return features.check("raqm") and matplotlib.__version_info__ >= (3, 11)


@functools.cache
def _letters(path):
    """Returns the code points of a font as a frozenset."""
    return frozenset(FT2Font(path).get_charmap())
