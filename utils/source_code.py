"""What a reader of Python source keeps in mind at each character: open quotes and brackets, place in the line, depth.

All of it depends only on what has been read so far, the character itself included.
"""

import io
import re
import tokenize
from collections.abc import Iterator
from itertools import accumulate, combinations

import torch
from torch import Tensor

# From Python 3.12 on an f-string is several tokens, before that it is one string.
OPENING, CLOSING = "FSTRING_START", "FSTRING_END"


def inside_quotes(source: str, most_lines: int | None = None) -> Tensor:
    """Whether a string is open after each character: bool (N,). Python's own tokenizer decides.

    With `most_lines`, strings over more lines than that are left out: 1 leaves out the usual docstrings.
    Raises ValueError where the tokenizer cannot read the text, such as one that was cut off inside a bracket.
    """
    starts, flags, opened = _starts(source), torch.zeros(len(source), dtype=torch.bool), []
    for token in _tokens(source):
        name = tokenize.tok_name[token.type]
        if name == OPENING:
            opened.append(token.start)
        elif name in ("STRING", CLOSING):
            begin, end = opened.pop() if name == CLOSING else token.start, token.end
            if most_lines is None or end[0] - begin[0] < most_lines:
                flags[starts[begin[0] - 1] + begin[1] : starts[end[0] - 1] + end[1] - 1] = True
    return flags


def open_brackets(source: str) -> Tensor:
    """How many round, square and curly brackets are open after each character: (N,), int64. Those in strings and
    comments do not count.

    Raises ValueError where the tokenizer cannot read the text.
    """
    starts, changes = _starts(source), torch.zeros(len(source), dtype=torch.int64)
    for token in _tokens(source):
        if token.type == tokenize.OP and token.string in "()[]{}":
            changes[starts[token.start[0] - 1] + token.start[1]] = 1 if token.string in "([{" else -1
    return changes.cumsum(0)


def open_parentheses(text: str) -> Tensor:
    """How many round brackets are open after each character, in code, strings and prose alike: (N,), int64.

    A closing one without its partner does not count, and an empty line closes all.
    """
    depths, depth = [], 0
    for before, character in zip(" " + text, text, strict=False):
        depth = 0 if before == character == "\n" else max(0, depth + (character == "(") - (character == ")"))
        depths.append(depth)
    return torch.tensor(depths)


def _starts(source: str) -> list[int]:
    """Where each line begins, in characters."""
    return [0, *accumulate(len(line) + 1 for line in source.split("\n"))]


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(source).readline)
    except (tokenize.TokenError, SyntaxError) as error:
        raise ValueError(
            f"Python's tokenizer cannot read this text: {error}. Begin and end it outside of any statement."
        ) from None


def line_position(source: str) -> Tensor:
    """How many characters of its line have been read after each character; 0 after the end of a line. (N,), int64."""
    positions, position = [], 0
    for character in source:
        position = 0 if character == "\n" else position + 1
        positions.append(position)
    return torch.tensor(positions)


def indentation(source: str) -> Tensor:
    """How many spaces the line began with, as far as it has been read: (N,), int64; 0 after the end of a line."""
    depths, depth, leading = [], 0, True
    for character in source:
        if character == "\n":
            depth, leading = 0, True
        elif leading and character == " ":
            depth += 1
        else:
            leading = False
        depths.append(depth)
    return torch.tensor(depths)


def whole_definitions(source: str, most: int) -> str:
    """The longest stretch of at most `most` characters from one top-level definition to another, that one left out.

    So it neither begins nor ends inside a string, a bracket or a function.
    Raises ValueError where there is none.
    """
    begins = [place.start() for place in re.finditer(r"(?<=\n\n\n)(def|class) ", source)]
    stretches = [(end - begin, begin) for begin, end in combinations(begins, 2) if end - begin <= most]
    if not stretches:
        raise ValueError(f"there are no two top-level definitions within {most} characters of each other in this text.")
    length, begin = max(stretches)
    return source[begin : begin + length]
