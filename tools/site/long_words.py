"""A long word of code, such as a path, may be broken at its joints: on a phone, and in a table beside other columns."""

import re

WORD = r'(?<=<span class="pre">)[^<]{%d,}(?=</span>)'
LONG, LONG_IN_A_COLUMN = re.compile(WORD % 20), re.compile(WORD % 12)
TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
JOINT = re.compile(r"(?:(?<=[/_.=(\[])(?=[^/_.=(\[])|(?<=\w-)(?=\w))(?!\w{1,5}$)")
"""Not before the last few letters, such as a file's ending."""


def jointed(html: str) -> str:
    """`html` in which each long word of code has a place for a break after each of its joints."""
    html = TABLE.sub(lambda table: LONG_IN_A_COLUMN.sub(_jointed, table[0]), html)
    return LONG.sub(_jointed, html)


def _jointed(word: re.Match) -> str:
    return JOINT.sub("<wbr>", word[0])
