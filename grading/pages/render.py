"""HTML pages that need nothing beside them: no network, one style sheet and at most one script, both ours.

A page's policy allows these two by their hashes, so nothing else on it can run, whatever a submission holds.
"""

import base64
import functools
import hashlib
from datetime import datetime
from pathlib import Path

import jinja2
from markupsafe import Markup

from grading.times import duration, shown
from grading.untrusted.html import highlighted, markdown
from grading.untrusted.text import visible

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, script: str = "", sheet: str = "", connects: bool = False, **values: object) -> str:
    """The page that this template of `grading/pages/templates` makes of the values; all text in them is escaped.

    `script` and `sheet` are files beside the templates, for a page that stays with the instructor; "" for none. The
    script of one that `connects` talks to the server that the page came from.
    """
    style, more, code = (_template(name) if name else "" for name in ("page.css", sheet, script))
    style += more
    scripts = f"script-src {_hash(code)}; " if code else ""
    scripts += "connect-src 'self'; " if connects else ""
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; {scripts}base-uri 'none'; form-action 'none'"
    )
    page = _environment().get_template(template)
    return page.render(style=Markup(style), script=Markup(code), policy=policy, **values)


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    ours = {"number": number, "percent": percent, "parted": parted, "when": when, "duration": duration}
    environment.filters |= {"visible": visible, "highlighted": highlighted, "markdown": markdown} | ours
    return environment


def number(value: float) -> str:
    """Points and seconds: 3, 2.5, 0.04; not 3.0."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value < 10 else f"{value:.1f}".removesuffix(".0")


def percent(share: float) -> str:
    """A share as a whole number of hundredths: 100 is all, and 0 is none."""
    rounded = round(100 * share)
    return str(rounded if share in (0, 1) else min(max(rounded, 1), 99))


def parted(text: str, lines: int = 20, characters: int = 1_500) -> tuple[str, str]:
    """The beginning of a long text, to be read at a glance, and the rest, which a page folds; not for a few lines."""
    beginning = "\n".join(text.split("\n", lines)[:lines])[:characters]
    rest = text[len(beginning) :].removeprefix("\n")
    return (text, "") if len(rest) < characters / 5 and rest.count("\n") < lines / 4 else (beginning, rest)


def when(time: datetime | str | None) -> str:
    """A time, or one in ISO 8601, as this machine's clock would show it, with its zone; "" for what is none."""
    try:
        return shown(datetime.fromisoformat(time) if isinstance(time, str) else time) if time else ""
    except ValueError:
        return ""
