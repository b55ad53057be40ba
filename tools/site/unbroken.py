"""What is read as one stays in one line: a number and its %, a formula and the sign behind it, 2.4e-07. Not in code."""

import re

from sphinx.application import Sphinx

CODE = r"<(?P<code>pre|code|script|style)\b.*?</(?P=code)>"
TOGETHER = r"(?P<together><math\b[^>]*>(?:(?!</math>).)*</math>[.,;:!?)’”]+|\b\d[\d.]*e-\d+\b)"
ANY = re.compile(rf"{CODE}|{TOGETHER}|<math\b.*?</math>|<[^>]*>|(?P<space>(?<=\d) (?=%))", re.DOTALL)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", lambda app, page, template, context, doctree: _mend(context))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mend(context: dict) -> None:
    if "body" in context:
        context["body"] = unbroken(context["body"])
    for neighbour in ("prev", "next"):
        if context.get(neighbour):
            context[neighbour]["title"] = unbroken(context[neighbour]["title"])


def unbroken(html: str) -> str:
    """`html` in which no line ends between what belongs together."""
    return ANY.sub(_kept, html)


def _kept(found: re.Match) -> str:
    if found["space"]:
        return "\N{NO-BREAK SPACE}"
    return f'<span class="unbroken">{found[0]}</span>' if found["together"] else found[0]
