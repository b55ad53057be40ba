"""Whether two sources are the same but for layout, which editors and formatters change without being asked.

Layout of code is all that its syntax tree does not hold (quotes, blanks, line ends, parentheses, trailing commas,
comments), and of what the tree holds: the blanks in a docstring, the order of imports that stand together, and magics
that change nothing of what is computed. Layout of text is line ends and blanks at the ends of lines.
"""

import ast
import hashlib
from functools import lru_cache

from grading.submission.magics import without_quiet_magics
from grading.submission.syntax import PROBLEMS, syntax_tree

LONGEST = 20_000  # characters. No cell of the course has as many; a longer one is compared as text
DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def same_code(ours: str, theirs: str) -> bool:
    """Whether two code cells differ in layout at most. Raises nothing, whatever they hold.

    The result does not depend on the order, but what is known of the first is kept for the next comparison.
    """
    return ours == theirs or essence_of_ours("code", ours) == essence("code", theirs)


def essence(cell_type: str, source: str) -> str:
    """What is left of a cell's source without its layout: equal for sources that are the same, and of little length.

    Code that Python cannot parse, or that is longer than LONGEST, is taken as text.
    """
    text = without_trailing_blanks(source)
    tree = _tree(text) if cell_type == "code" and len(text) <= LONGEST else None
    return hashlib.sha256((tree or text).encode("utf-8", "surrogatepass")).hexdigest()


essence_of_ours = lru_cache(maxsize=1_000)(essence)  # the same few cells in every submission


def without_trailing_blanks(text: str) -> str:
    """The text with plain line ends, without blanks at the ends of lines and around it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def _tree(source: str) -> str:
    """The syntax tree, written down; "" if there is none, or one that is too deep."""
    tree = syntax_tree(source) or syntax_tree(without_quiet_magics(source))
    if tree is None:
        return ""
    for node in ast.walk(tree):
        _remove_layout(node)
    try:
        tree.body = _with_sorted_imports(tree.body)
        return ast.dump(tree)
    except PROBLEMS:
        return ""


def _remove_layout(node: ast.AST) -> None:
    """Take out of a node what formatters change: u before a string, brackets after `del`, a docstring's blanks."""
    match node:
        case ast.Constant():
            node.kind = None
        case ast.Delete(targets=[ast.Tuple(elts=targets)]):
            node.targets = targets
    if isinstance(node, DOCUMENTED):
        match node.body[0]:
            case ast.Expr(value=ast.Constant(value=str(text)) as docstring):
                docstring.value = "".join(text.split())


def _with_sorted_imports(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements, with one import a name, and those that follow each other in the order of their text."""
    statements: list[ast.stmt] = []
    together: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            together += _one_name_each(statement)
        else:
            statements += [*sorted(together, key=ast.dump), statement]
            together = []
    return statements + sorted(together, key=ast.dump)


def _one_name_each(statement: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
    if isinstance(statement, ast.Import):
        return [ast.Import([alias]) for alias in statement.names]
    return [ast.ImportFrom(statement.module, [alias], statement.level) for alias in statement.names]
