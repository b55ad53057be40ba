"""Hostile text as HTML: nothing that a submission holds can run, load, hide or leave its place on a page.

Whatever is returned as `Markup` is safe to put into a page; everything else is escaped by the templates.
"""

import functools
import html
import re
import xml.etree.ElementTree as ET

import mistune
from markupsafe import Markup, escape

MAX_TEXT = 5_000  # characters of one output
MAX_SOURCE = 20_000
MAX_FORMULA = 500

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_OVERWRITTEN = re.compile(r"^.*\r(?=.)", re.MULTILINE)  # a progress bar draws over its own line

# Control characters become pictures of themselves. Marks that turn the direction of text around, with which code can
# be made to look like other code, are spelled out. Halves of a surrogate pair cannot be written as UTF-8.
_SHOWN = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"} | {0x7F: "␡"}
_SHOWN |= dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000)], "\N{REPLACEMENT CHARACTER}")
_SHOWN |= {code: f"⟨U+{code:04X}⟩" for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]}


def visible(text: object, limit: int = MAX_TEXT) -> str:
    """`text` as plain text that shows all it holds: no terminal codes, no control characters, no turned direction.

    What is no text gives an empty string; of what is too long the middle is left out, and it is said how much.
    """
    if not isinstance(text, str):
        return ""
    left_out = len(text) - limit
    if left_out > 0:
        text = f"{text[: limit * 3 // 4]}\n… {left_out:,} characters left out …\n{text[-limit // 4 :]}"
    text = _ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n")
    return _OVERWRITTEN.sub("", text).translate(_SHOWN)


def highlighted(source: str) -> Markup:
    """Python code with its words marked by pygments' short class names (`k` for a keyword)."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    lexer = PythonLexer(stripnl=False, ensurenl=False)
    return Markup(highlight(visible(source, MAX_SOURCE), lexer, HtmlFormatter(nowrap=True)))


def markdown(text: str) -> Markup:
    """A text cell: Markdown and formulas. HTML in it is shown as text; nothing in it is a link or loads a picture."""
    shown = visible(text, MAX_SOURCE)
    try:
        return Markup(_parser()(shown))
    except RecursionError:
        return Markup("<pre>{}</pre>").format(shown)


def formula(latex: str, display: str = "inline") -> Markup:
    """MathML of a formula, or its LaTeX as code where it is none, too long, or not understood."""
    as_code = Markup("<code>{}</code>").format(latex)
    if len(latex) > MAX_FORMULA:
        return as_code
    from latex2mathml.converter import convert

    try:
        tree = ET.fromstring(convert(latex, display=display))
    except Exception:  # the library has a dozen errors for malformed formulas, and its output may be no XML
        return as_code
    return Markup(ET.tostring(_only_math(tree), encoding="unicode"))


# https://www.w3.org/TR/mathml-core/: the elements that show something, and attributes that do no more than that.
# fmt: off
_MATH_ELEMENTS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup",
    "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "mtable", "mtr", "mtd", "mpadded",
    "mphantom", "mstyle",
}
_MATH_ATTRIBUTES = {
    "display", "mathvariant", "stretchy", "fence", "form", "separator", "linethickness", "accent",
    "accentunder", "movablelimits", "largeop", "symmetric", "displaystyle", "scriptlevel", "columnalign",
}
# fmt: on


def _only_math(element: ET.Element) -> ET.Element:
    """A copy with known elements and attributes alone; what is unknown becomes a row."""
    name = element.tag.rpartition("}")[2]
    known = {key: value for key, value in element.attrib.items() if key in _MATH_ATTRIBUTES}
    copy = ET.Element(name if name in _MATH_ELEMENTS else "mrow", known)
    copy.text, copy.tail = element.text, element.tail
    copy.extend(_only_math(child) for child in element)
    return copy


class _TextOnly(mistune.HTMLRenderer):
    """HTML of a text cell without links, pictures and headings of its own."""

    def text(self, text: str) -> str:
        return escape(html.unescape(text))

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
        return f"<div>{formula(text, 'block')}</div>\n"


@functools.cache
def _parser() -> mistune.Markdown:
    return mistune.create_markdown(renderer=_TextOnly(escape=True), plugins=["math", "table"])
