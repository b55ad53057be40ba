"""Python's own parser, for code that can be anything: it raises nothing, and is not given what takes it very long."""

import ast
import re
import symtable
import warnings

PROBLEMS = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)

# Python joins the parts of `import a.b.c` one after the other, in time that is quadratic in their number.
_LONG_NAME = re.compile(r"\b(?:\w++[\s\\]*+\.[\s\\]*+){50}")


def syntax_tree(source: str) -> ast.Module | None:
    """The syntax tree of a cell; None for what Python cannot parse."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return None if _LONG_NAME.search(source) else ast.parse(source)
    except PROBLEMS:
        return None


def symbol_table(source: str) -> symtable.SymbolTable | None:
    """The names of a cell and of the functions in it; None for what Python cannot parse."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return None if _LONG_NAME.search(source) else symtable.symtable(source, "cell", "exec")
    except PROBLEMS:
        return None
