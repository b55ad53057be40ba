"""A long word of code, such as a path, may be broken at its joints: on a phone, and in a table beside other columns."""

import re

from sphinx.application import Sphinx

LONG = re.compile(r'(?<=<span class="pre">)[^<]{20,}(?=</span>)')
JOINT = re.compile(r"(?<=[/_.=(\[])(?=[^/_.=(\[])|(?<=\w-)(?=\w)")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", lambda app, page, template, context, doctree: _mend(context))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mend(context: dict) -> None:
    if "body" in context:
        context["body"] = jointed(context["body"])


def jointed(html: str) -> str:
    """`html` in which each long word of code has a place for a break after each of its joints."""
    return LONG.sub(lambda word: JOINT.sub("<wbr>", word[0]), html)
