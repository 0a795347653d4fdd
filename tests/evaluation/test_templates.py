import unicodedata

import jinja2
import markupsafe
import pytest

from tl_keras.evaluation import templates


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("page.html.jinja", "card.md.jinja"):
        (tmp_path / name).write_text("{{ value | twice }}\n{% if True %}\n  end\n{% endif %}\n")
    monkeypatch.setattr(templates, "__file__", str(tmp_path / "templates.py"))


@pytest.mark.parametrize(("name", "expected"), [("page.html.jinja", "&lt;b&gt;&lt;b&gt;"), ("card.md.jinja", "<b><b>")])
def test_values_are_escaped_in_html_only(folder, name, expected):
    template = templates.load_template(name, twice=lambda text: 2 * text)
    assert template.render(value="<b>") == f"{expected}\n  end\n"


@pytest.mark.parametrize("name", ["page.html.jinja", "card.md.jinja"])
@pytest.mark.parametrize("kind", [str, markupsafe.Markup])
def test_values_have_no_control_characters(folder, name, kind):
    template = templates.load_template(name, twice=lambda text: kind(2 * text))
    assert template.render(value="\x1b\n\u202e") == "\ufffd\n\ufffd\ufffd\n\ufffd\n  end\n"


def test_undefined_names_are_refused(folder):
    with pytest.raises(jinja2.UndefinedError, match="value"):
        templates.load_template("page.html.jinja", twice=str).render()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u2192 \u05db\u05dc\u05d1 98 %", "\u2192 <bdi>\u05db\u05dc\u05d1</bdi> 98 %"),
        (
            "\u05db\u05dc\u05d1 60%, \u05d7\u05ea\u05d5\u05dc 40%",
            "<bdi>\u05db\u05dc\u05d1</bdi> 60%, <bdi>\u05d7\u05ea\u05d5\u05dc</bdi> 40%",
        ),
        (
            "\u0642\u0637\u0629 \u0643\u0628\u064a\u0631\u0629 2",
            "<bdi>\u0642\u0637\u0629 \u0643\u0628\u064a\u0631\u0629</bdi> 2",
        ),
        ("\u0645\u06cc\u200c\u062e <b>", "<bdi>\u0645\u06cc\u200c\u062e</bdi> &lt;b&gt;"),
        ("cat 98 %", "cat 98 %"),
        (markupsafe.Markup("<b>"), "<b>"),
    ],
)
def test_names_from_right_to_left_do_not_turn_the_numbers_beside_them(text, expected):
    assert templates.isolate_names(text) == markupsafe.Markup(expected)


def test_each_script_from_right_to_left_is_known():
    letters = [chr(code) for code in range(0x110000) if unicodedata.bidirectional(chr(code)) in ("R", "AL")]
    missed = [letter for letter in letters if "<bdi>" not in templates.isolate_names(letter) and letter.isalpha()]
    assert missed == []
