"""What is read as one stays in one line: a number and its %, a formula and the sign behind it, 2.4e-07. Not in code."""

import re

CODE = r"<(?P<code>pre|code|script|style)\b.*?</(?P=code)>"
TOGETHER = r"(?P<together><math\b[^>]*>(?:(?!</math>).)*</math>[.,;:!?)’”]+|\b\d[\d.]*e-\d+\b)"
ANY = re.compile(rf"{CODE}|{TOGETHER}|<math\b.*?</math>|<[^>]*>|(?P<space>(?<=\d) (?=%))", re.DOTALL)


def unbroken(html: str) -> str:
    """`html` in which no line ends between what belongs together."""
    return ANY.sub(_kept, html)


def _kept(found: re.Match) -> str:
    if found["space"]:
        return "\N{NO-BREAK SPACE}"
    return f'<span class="unbroken">{found[0]}</span>' if found["together"] else found[0]
