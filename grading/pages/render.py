"""HTML pages that need nothing beside them: no script, no network, one style sheet, allowed by its own hash."""

import base64
import functools
import hashlib
from pathlib import Path

import jinja2
from markupsafe import Markup

from grading.untrusted.html import highlighted, markdown
from grading.untrusted.text import visible

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **values: object) -> str:
    """The page that this template of `grading/pages/templates` makes of the values; all text in them is escaped."""
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return _environment().get_template(template).render(style=Markup(style), policy=policy, **values)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "highlighted": highlighted, "markdown": markdown, "number": number}
    return environment


def number(value: float) -> str:
    """Points and seconds: 3, 2.5, 0.04; not 3.0."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value < 10 else f"{value:.1f}".removesuffix(".0")
