"""A long word of code, such as a path, may be broken at its joints: on a phone, and in a table beside other columns."""

import re

from sphinx.application import Sphinx

WORD = r'(?<=<span class="pre">)[^<]{%d,}(?=</span>)'
LONG, LONG_IN_A_COLUMN = re.compile(WORD % 20), re.compile(WORD % 12)
TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
JOINT = re.compile(r"(?:(?<=[/_.=(\[])(?=[^/_.=(\[])|(?<=\w-)(?=\w))(?!\w{1,5}$)")
"""Not before the last few letters, such as a file's ending."""


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", lambda app, page, template, context, doctree: _mend(context))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mend(context: dict) -> None:
    if "body" in context:
        context["body"] = jointed(context["body"])


def jointed(html: str) -> str:
    """`html` in which each long word of code has a place for a break after each of its joints."""
    html = TABLE.sub(lambda table: LONG_IN_A_COLUMN.sub(_jointed, table[0]), html)
    return LONG.sub(_jointed, html)


def _jointed(word: re.Match) -> str:
    return JOINT.sub("<wbr>", word[0])
