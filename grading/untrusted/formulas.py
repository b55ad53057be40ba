"""LaTeX as MathML, which browsers show without a script and without another host.

latex2mathml, which reads it, keeps what it finds: links, styles, and tags that stand in a `\\text{}`. So of what it
makes only elements and attributes go into a page that show mathematics and stay in their place; all text is escaped.
"""

import functools
import html
import re
from xml.etree.ElementTree import Element

from markupsafe import Markup, escape

MAX_FORMULA = 1_000  # characters
MAX_DEEP = 30  # elements in one another: browsers lay out each several times
LONG = 30  # characters: what may be wider than a phone can be scrolled

_ELEMENTS = frozenset(
    (
        "math",
        "mfrac",
        "mi",
        "mn",
        "mo",
        "mover",
        "mroot",
        "mrow",
        "mspace",
        "msqrt",
        "mstyle",
        "msub",
        "msubsup",
        "msup",
    )
    + ("mtable", "mtd", "mtext", "mtr", "munder", "munderover")
)
_LENGTH = re.compile(r"[0-3](\.\d+)?em")  # not below zero, where it would lie on other text, and not far away
_KEPT = {
    "width": _LENGTH,
    "minsize": _LENGTH,
    "maxsize": _LENGTH,
    "linethickness": re.compile("0"),
    "mathvariant": re.compile("normal|bold|bold-italic"),
    "scriptlevel": re.compile("[0-2]"),
    "form": re.compile("prefix|infix|postfix"),
} | dict.fromkeys(("accent", "displaystyle", "fence", "stretchy"), re.compile("true|false"))
# What is defined may be used twice in the next definition, and so on: it would grow for ever.
_DEFINES = re.compile(r"\\(?:def|newcommand|renewcommand|newenvironment|DeclareMathOperator)\b")
_INSTEAD = {r"\arg": r"\operatorname{arg}", "{aligned}": "{align*}"}
_SUBSTITUTED = re.compile(r"\\arg(?![A-Za-z])|(?<=\\begin)\{aligned\}|(?<=\\end)\{aligned\}")


def formula(latex: str, is_block: bool = False) -> Markup:
    """A formula as MathML; as it was written, where it cannot be read, is too long, or defines commands."""
    latex = html.unescape(latex).strip()
    mathml = _mathml(latex, is_block)
    if mathml is None:
        return Markup("<pre><code>{}</code></pre>\n" if is_block else "<code>{}</code>").format(latex)
    if not is_block and len(latex) < LONG:
        return mathml
    kind = "formula block" if is_block else "formula"
    return Markup('<span class="{}" role="group" aria-label="Formula" tabindex="0">{}</span>').format(kind, mathml)


@functools.lru_cache(maxsize=1_000)  # those of a question stand on each student's page
def _mathml(latex: str, is_block: bool) -> Markup | None:
    """None for what is not to be shown as a formula."""
    if not latex or len(latex) > MAX_FORMULA or _DEFINES.search(latex):
        return None
    from latex2mathml.converter import convert_to_element

    readable = _SUBSTITUTED.sub(lambda found: _INSTEAD[found[0]], latex)
    try:
        return _harmless(convert_to_element(readable, display="block" if is_block else "inline"), latex)
    except Exception:  # whatever it stumbles over: it raises errors of many kinds, IndexError and KeyError among them
        return None


def _harmless(element: Element, latex: str = "", depth: int = 0) -> Markup:
    """The element as HTML. Raises ValueError if it has something that we do not show, or was not understood."""
    text = html.unescape(element.text or "")  # latex2mathml has character references as text
    tag = element.tag.rpartition("}")[2]
    if tag not in _ELEMENTS or depth > MAX_DEEP or (element.tail or "").strip():
        raise ValueError(tag)
    if tag != "mtext" and (text.startswith("\\") or text == "&"):
        raise ValueError(text)  # a command or a place in a table that it does not know
    kept = [(name, value) for name, value in element.items() if name in _KEPT and _KEPT[name].fullmatch(value)]
    if tag == "math":
        kept = [("display", element.get("display", "inline")), ("alttext", latex)]
        kept += [("class", "aligned")] if "{align" in latex else []
    attributes = Markup("").join(Markup(' {}="{}"').format(*one) for one in kept)
    inside = Markup("").join(_harmless(child, depth=depth + 1) for child in element)
    return Markup("<{0}{1}>{2}{3}</{0}>").format(tag, attributes, escape(text), inside)
