"""A number and its % stay in one line. What is code stays as it is."""

import re

from sphinx.application import Sphinx

SPACE = re.compile(r"<(pre|code|script|style)\b.*?</\1>|<[^>]*>|(?<=\d) (?=%)", re.DOTALL)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", lambda app, page, template, context, doctree: _mend(context))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mend(context: dict) -> None:
    if "body" in context:
        context["body"] = in_one_line(context["body"])
    for neighbour in ("prev", "next"):
        if context.get(neighbour):
            context[neighbour]["title"] = in_one_line(context[neighbour]["title"])


def in_one_line(html: str) -> str:
    """`html` with a space that does not break between each number and the % behind it."""
    return SPACE.sub(lambda found: "\N{NO-BREAK SPACE}" if found[0] == " " else found[0], html)
