"""What Sphinx wrote, mended before it becomes a page. A rule is a function from HTML to HTML, in its own module."""

from sphinx.application import Sphinx

from tools.site.long_words import jointed
from tools.site.tables import without_empty_heads
from tools.site.unbroken import unbroken

RULES = (without_empty_heads, unbroken, jointed)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", lambda app, page, template, context, doctree: _mend(context))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mend(context: dict) -> None:
    """The text of a page, and the titles of its neighbours."""
    if "body" in context:
        context["body"] = mended(context["body"])
    for neighbour in ("prev", "next"):
        if context.get(neighbour):
            context[neighbour]["title"] = mended(context[neighbour]["title"])


def mended(html: str) -> str:
    for rule in RULES:
        html = rule(html)
    return html
