"""Hostile text as HTML: nothing that a submission holds can run, load, hide or leave its place on a page.

Whatever is returned as `Markup` is safe to put into a page; everything else is escaped by the templates.
"""

import functools
import html

import mistune
from markupsafe import Markup, escape

from grading.untrusted.converter import TooMuch
from grading.untrusted.formulas import formula
from grading.untrusted.text import visible

MAX_SOURCE = 20_000  # characters of one cell
MAX_MARKS = 1_000  # of emphasis, code and links in a text cell: their pairs are looked for again and again


def highlighted(source: str) -> Markup:
    """Python code with its words marked by pygments' short class names (`k` for a keyword).

    Blanks at the ends of lines are left out: nobody sees them, and pygments takes the square of their number, minutes
    for one cell of blank lines.
    """
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    lexer = PythonLexer(stripnl=False, ensurenl=False)
    shown = "\n".join(line.rstrip() for line in visible(source, MAX_SOURCE).split("\n"))
    return Markup(highlight(shown, lexer, HtmlFormatter(nowrap=True)))


def markdown(text: str) -> Markup:
    """A text cell: Markdown, with formulas. HTML is shown as text; nothing is a link or loads a picture.

    What has too many marks, is too deep, or has a formula that takes too long, is shown as it was written.
    """
    shown = visible(text, MAX_SOURCE)
    try:
        if sum(map(shown.count, "*_[`")) > MAX_MARKS:
            return Markup("<pre>{}</pre>").format(shown)
        return Markup(_parser()(shown))
    except (RecursionError, TooMuch):
        return Markup("<pre>{}</pre>").format(shown)


class _TextOnly(mistune.HTMLRenderer):
    """HTML of a text cell without links, pictures and headings of its own."""

    def text(self, text: str) -> str:
        return escape(visible(html.unescape(text), MAX_SOURCE))  # a number may stand for what turns text around

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return text if text == escape(url) else f"{text} <code>{escape(url)}</code>"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return f"<em>[picture: {text}]</em>"

    def heading(self, text: str, level: int, **attributes: object) -> str:
        return f"<p><strong>{text}</strong></p>\n"

    def block_code(self, code: str, info: str | None = None) -> str:
        return f"<pre><code>{escape(code)}</code></pre>\n"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        return f"<th>{text}</th>" if head else f"<td>{text}</td>"

    def inline_math(self, text: str) -> str:
        return formula(text)

    def block_math(self, text: str) -> str:
        return formula(text, is_block=True)


@functools.cache
def _parser() -> mistune.Markdown:
    return mistune.create_markdown(renderer=_TextOnly(escape=True), plugins=["math", "table"])
