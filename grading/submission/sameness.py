"""Whether two sources are the same code: layout, comments and quotes make no difference."""

import ast
import warnings


def same_code(one: str, other: str) -> bool:
    """Whether these sources have the same text but for blanks around it, or the same syntax tree."""
    if one.strip() == other.strip():
        return True
    trees = _tree(one), _tree(other)
    return trees[0] is not None and trees[0] == trees[1]


def _tree(source: str) -> str | None:
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
