"""LaTeX as MathML, which browsers show without a script and without another host.

math-core knows LaTeX and escapes text. A student may still colour, hide and move with it, so of what it makes only
elements and attributes go into a page that show mathematics and stay in their place.
"""

import functools
import html
import re
from xml.etree.ElementTree import Element, ParseError, fromstring

from markupsafe import Markup

from grading.untrusted.converter import Converter, TooMuch
from grading.untrusted.text import visible

MAX_FORMULA = 1_000  # characters
MAX_DEEP = 30  # elements in one another: browsers lay out each several times
LONG = 30  # characters: what may be wider than a phone can be scrolled

_CONVERTER = Converter()
_ELEMENT = re.compile(
    "m(ath|frac|i|n|o|over|padded|root|row|space|sqrt|sub|subsup|sup|table|td|text|tr|under|underover)"
)
_LENGTH = re.compile(r"0|[0-3](\.\d+)?em")  # not below zero, where it would lie on other text, and not far away
_SPACE = re.compile(
    r"(text-align: (left|right);justify-items: (start|end);)?(padding-(left|right): ?(0|1em|0\.\d+em);)*"
)
_KEPT = {
    "width": _LENGTH,
    "minsize": _LENGTH,
    "maxsize": _LENGTH,
    "lspace": _LENGTH,
    "rspace": _LENGTH,
    "linethickness": re.compile("0"),
    "mathvariant": re.compile("normal"),
    "scriptlevel": re.compile("[0-2]"),
    "form": re.compile("prefix|infix|postfix"),
    "style": _SPACE,
} | dict.fromkeys(("accent", "accentunder", "displaystyle", "fence", "stretchy"), re.compile("true|false"))
_NAMED = re.compile(r"&(?!(?:lt|gt|amp|quot|apos);)\w+;")  # HTML's names for signs, which XML does not know


def formula(latex: str, is_block: bool = False) -> Markup:
    """A formula as MathML; as it was written, where it cannot be read, is too long, or defines commands.

    Raises TooMuch for what takes the library too long.
    """
    latex = visible(html.unescape(latex), len(latex)).strip()
    mathml = _mathml(latex, is_block)
    if mathml == "":
        raise TooMuch
    if mathml is None:
        return Markup("<pre><code>{}</code></pre>\n" if is_block else "<code>{}</code>").format(latex)
    if not is_block and len(latex) < LONG:
        return mathml
    kind = "formula block" if is_block else "formula"
    return Markup('<span class="{}" role="group" aria-label="Formula" tabindex="0">{}</span>').format(kind, mathml)


@functools.lru_cache(maxsize=1_000)  # those of a question stand on each student's page
def _mathml(latex: str, is_block: bool) -> Markup | None:
    """None for what is not to be shown as a formula; nothing for what takes too long, so that it does so once."""
    if not latex or len(latex) > MAX_FORMULA:
        return None
    try:
        mathml = _CONVERTER.mathml(latex, is_block)
        if mathml is None:
            return None
        return _harmless(fromstring(_NAMED.sub(lambda name: html.unescape(name[0]), mathml)), latex)
    except TooMuch:
        return Markup("")
    except (ParseError, ValueError):  # signs that XML does not have, as U+FFFF
        return None


def _harmless(element: Element, latex: str = "", depth: int = 0) -> Markup:
    """The element as HTML. Raises ValueError if it has something that we do not show."""
    if not _ELEMENT.fullmatch(element.tag) or depth > MAX_DEEP:
        raise ValueError(element.tag)
    kept = [(name, value) for name, value in element.items() if name in _KEPT and _KEPT[name].fullmatch(value)]
    if element.tag == "math":
        kept = [("display", element.get("display", "inline")), ("alttext", latex)]
    attributes = Markup("").join(Markup(' {}="{}"').format(*one) for one in kept)
    inside = Markup("").join(_harmless(child, depth=depth + 1) for child in element)
    return Markup("<{0}{1}>{2}{3}</{0}>").format(element.tag, attributes, element.text or "", inside)
