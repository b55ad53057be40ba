"""Nothing of a student's costs us the square of its length: what is four times as long takes about four times as long.

Processor times of one process are compared with each other, the best of several, so that neither a slow machine nor a
busy one decides. The square would be a factor of 16.
"""

import time
from collections.abc import Callable

import pytest

from grading.gradebook.autograded import harmless_markdown
from grading.similarity.tokens import Names, tokens_of_code, tokens_of_text
from grading.similarity.winnowing import grams, winnow
from grading.submission.names import names_of
from grading.untrusted.html import highlighted, markdown
from grading.untrusted.png import checked_png
from grading.untrusted.text import visible

MOST = 10  # times as long for four times as much
SOON = 0.05  # seconds: what takes no longer is not worth a comparison
LENGTH = 4_000  # characters; four times as much is shown on a page

BLANKS = [" \n", "\n ", "\t\n", "\u2003\n", "\n\u2003", "\x0c\n", " \n\t", "\r\n", "\r", "   ", "\n"]
CODE = ["'''\n", '"', "\\\n", "a ", "+a", ".a", "f(", "a[", "{", "f'{", "lambda: ", "if a else ", "@a\n", "a=", "#\n"]
TEXT = ["*a_ ", "**", "![[", "](", "[a](", "<a ", "`", "``a`", "$", "$$\n", "\\(", "|-|\n", "> ", "- ", "<!--", "&amp;"]
TEXT += ["$x'_1$ ", "$$a^2$$\n", "$\\frac12$\n"]
CODES = ["\x1b[", "\x1b]", "\x1b ", "\x1b[1;", "a\r", "\u202e", "]("]


def seconds(function: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    function(text)
    return time.process_time() - started


def fingerprints(source: str) -> dict[int, int]:
    return winnow(grams([token.word for token in tokens_of_code(source, Names())]))


def is_square(function: Callable[[str], object], part: str, beginning: str = "") -> bool:
    """Whether four times as many parts take far more than four times as long, again and again."""
    count = LENGTH // len(part)
    for _ in range(4):
        longer = seconds(function, beginning + part * (4 * count))
        if longer < SOON or longer < MOST * seconds(function, beginning + part * count):
            return False
    return True


@pytest.mark.parametrize(
    ("function", "parts"),
    [
        (highlighted, BLANKS + CODE),
        (markdown, BLANKS + TEXT),
        (visible, BLANKS + CODES),
        (harmless_markdown, BLANKS + TEXT),
        (names_of, BLANKS + CODE + ["%a\n", "a?\n", "= !a\n"]),
        (fingerprints, BLANKS + CODE),
        (tokens_of_text, BLANKS + TEXT),
        (checked_png, BLANKS + ["iVBORw0KGgo", "AAAA"]),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_what_is_four_times_as_long_takes_about_four_times_as_long(function, parts):
    pairs = [(part, beginning) for part in parts for beginning in ("", "x=1\n", "'''")]
    assert not [pair for pair in pairs if is_square(function, *pair)]


def test_the_comparison_sees_a_square():
    def quadratic(text: str) -> int:
        return sum(1 for _ in text[::4] for _ in text[::4])

    assert is_square(quadratic, "x")


def test_code_is_shown_as_it_was_but_for_blanks_at_the_ends_of_lines():
    from html.parser import HTMLParser

    class Words(HTMLParser):
        said = ""

        def handle_data(self, data):
            self.said += data

    words = Words()
    words.feed(highlighted("def f():  \n\t'''a  \n\n  b'''\n \n  return 1 \n"))
    assert words.said == "def f():\n\t'''a\n\n  b'''\n\n  return 1\n"
