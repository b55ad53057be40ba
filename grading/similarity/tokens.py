"""A cell as a list of words that renaming, layout, comments and some rewriting leave as they are.

Code is its syntax tree, written down in prefix order: `total += x[i]` and `total = total + x[i]` are the same words,
and so are the parts that a loop and a comprehension share. A name that the student made is NAME, whatever it is.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from grading.submission.magics import as_python
from grading.submission.syntax import syntax_tree

NAME = "name"
MOST_BITS = 64  # of a number that is written out

# Chinese and Japanese put no blanks between words: there each sign is one.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")

# The words for nodes that are not called like their class; "" for those that say nothing themselves.
_WORDS: dict[type[ast.AST], str] = {
    ast.Module: "",
    ast.Expr: "",
    ast.Load: "",
    ast.Store: "",
    ast.Del: "",
    ast.Pass: "",
    ast.arguments: "",
    ast.keyword: "",
    ast.withitem: "",
    ast.BinOp: "",
    ast.UnaryOp: "",
    ast.BoolOp: "",
    ast.Compare: "",
    ast.comprehension: "For",
    ast.ListComp: "",
    ast.GeneratorExp: "",
    ast.IfExp: "If",
    ast.AugAssign: "Assign",
    ast.AnnAssign: "Assign",
    ast.NamedExpr: "Assign",
    ast.AsyncFunctionDef: "FunctionDef",
}

# What of a node is read, and in which order, where that is not all of it as it stands.
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.BinOp: ("op", "left", "right"),
    ast.AugAssign: ("target", "op", "target", "value"),
    ast.AnnAssign: ("target", "value"),
    ast.ListComp: ("generators", "elt"),
    ast.SetComp: ("generators", "elt"),
    ast.GeneratorExp: ("generators", "elt"),
    ast.DictComp: ("generators", "key", "value"),
    ast.IfExp: ("test", "body", "orelse"),
    ast.FunctionDef: ("decorator_list", "args", "body"),
    ast.AsyncFunctionDef: ("decorator_list", "args", "body"),
    ast.ClassDef: ("decorator_list", "bases", "body"),
    ast.arguments: ("defaults", "kw_defaults"),
    ast.Import: (),
    ast.ImportFrom: (),
    ast.Global: (),
    ast.Nonlocal: (),
}

LONGEST_WORD = 64


class Token(NamedTuple):
    """A word, and the line of the cell, from 1 on, where it stands."""

    word: str
    line: int


@dataclass(frozen=True)
class Names:
    """What a notebook's code calls its own, and what its imports stand for: `np` is numpy."""

    own: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    imported: tuple[tuple[str, str], ...] = ()


def names_in(sources: Iterable[str]) -> Names:
    """The names of all these code cells together."""
    found = [_names_of(source) for source in sources]
    return Names(
        frozenset().union(*(one.own for one in found)),
        frozenset().union(*(one.attributes for one in found)),
        tuple(pair for one in found for pair in one.imported),
    )


def tokens_of_code(source: str, names: Names) -> list[Token]:
    """The words of a code cell; of what Python cannot parse, those of a text."""
    tree = syntax_tree(as_python(source))
    if tree is None:
        return tokens_of_text(source)
    words = dict.fromkeys(names.own, NAME) | dict(names.imported)
    attributes = dict.fromkeys(names.attributes, NAME)
    return [_token(word, line) for node, line in _in_order(tree) if (word := _word(node, words, attributes))]


def tokens_of_text(source: str) -> list[Token]:
    """The words of a text, without upper case."""
    lines = enumerate(source.split("\n"), 1)
    return [_token(word, number) for number, line in lines for word in _WORD.findall(line.casefold())]


def _token(word: str, line: int) -> Token:
    """Only the beginning of a word counts: one of a hundred thousand letters would be hashed at each of its places."""
    return Token(word[:LONGEST_WORD], line)


@lru_cache(maxsize=2_000)  # most cells are the released ones
def _names_of(source: str) -> Names:
    tree = syntax_tree(as_python(source))
    own, attributes, imported = set(), set(), {}
    for node in ast.walk(tree) if tree else ():
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                own.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                own.add(name)
                attributes.add(name)  # a method is called by its name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                attributes.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                imported |= {one.asname: one.name.rpartition(".")[2] for one in aliases if one.asname}
    return Names(frozenset(own), frozenset(attributes), tuple(imported.items()))


def _in_order(tree: ast.AST) -> Iterator[tuple[ast.AST, int]]:
    """The nodes in prefix order, with their lines. No recursion: a tree can be deeper than Python's stack."""
    waiting: list[tuple[ast.AST, int]] = [(tree, 1)]
    while waiting:
        node, line = waiting.pop()
        line = getattr(node, "lineno", line)
        yield node, line
        waiting += [(child, line) for child in reversed(_children(node))]


def _children(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return []  # a docstring
    values = (getattr(node, field, None) for field in _FIELDS.get(type(node), node._fields))
    listed = (value if isinstance(value, list) else [value] for value in values)
    return [one for value in listed for one in value if isinstance(one, ast.AST)]


def _word(node: ast.AST, names: dict[str, str], attributes: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return names.get(name, name)
        case ast.Attribute(attr=name):
            return "." + attributes.get(name, name)
        case ast.Constant(value=value):
            return _constant(value)
    return _WORDS.get(type(node), type(node).__name__)


def _constant(value: object) -> str:
    """A number or None as it is; of a text that it is one, since its words are easily changed."""
    is_short = not isinstance(value, int) or value.bit_length() <= MOST_BITS
    return repr(value) if isinstance(value, int | float | complex | None) and is_short else type(value).__name__
