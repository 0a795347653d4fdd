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
