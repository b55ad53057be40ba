"""nbgrader's configuration of a class, without the name of its database and the password in it."""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

INSTEAD = b'"sqlite:///gradebook.db"'
HIDDEN = "***"
OWN_DATABASE = """
# Since this class was archived, its gradebook is gradebook.db beside this file, whatever stands above.
get_config().CourseDirectory.db_url = "sqlite:///" + __import__("os").path.abspath(__file__ + "/../gradebook.db")
"""
IN_A_URL = re.compile(r"""(://[^:/@\s"']*:)[^@\n"']*(?=@)""")
TEXTS = {getattr(tokenize, name, None) for name in ("STRING", "COMMENT", "FSTRING_MIDDLE", "TSTRING_MIDDLE")}


def without_database(config: str, passwords: Iterable[str] = ()) -> str:
    """The text of an `nbgrader_config.py` that ends with the class's own `gradebook.db`, and holds no password.

    What is assigned to `db_url` above is another value, as what it is made of may be gone in two years.

    Args:
        config: the text. Of what is no Python, the URLs' passwords alone are taken out.
        passwords: those that are in use, which are taken out of strings and comments.
    """
    config = config.replace(OWN_DATABASE, "")
    try:
        tree = ast.parse(config)
    except SyntaxError:
        return without_passwords(config)
    lines = config.encode().split(b"\n")  # as Python counts: a form feed ends no line, and columns are bytes
    for value in sorted(_values(tree), key=lambda value: (value.lineno, value.col_offset), reverse=True):
        first, last = value.lineno - 1, (value.end_lineno or value.lineno) - 1
        lines[first : last + 1] = [lines[first][: value.col_offset] + INSTEAD + lines[last][value.end_col_offset :]]
    text = without_passwords(b"\n".join(lines).decode(), passwords)
    return text + ("\n" if text and not text.endswith("\n") else "") + OWN_DATABASE


def without_database_in_json(config: str) -> str:
    """The text of an `nbgrader_config.json`, which comes after the other, so that nothing in it may set `db_url`."""
    settings = json.loads(config)
    settings.get("CourseDirectory", {}).pop("db_url", None)
    return IN_A_URL.sub(rf"\1{HIDDEN}", json.dumps(settings, indent=2, ensure_ascii=False))


def without_passwords(code: str, passwords: Iterable[str] = ()) -> str:
    """Python in which no URL has a password, and no string or comment one of `passwords` as a word of its own."""
    code = IN_A_URL.sub(rf"\1{HIDDEN}", code)
    ways = {way for one in passwords if one for way in (one, repr(one)[1:-1], quote(one, safe=""), quote_plus(one))}
    if not any(way in code for way in ways):
        return code
    longest_first = "|".join(re.escape(way) for way in sorted(ways, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w./\\-])(?:{longest_first})(?![\w/\\-]|\.\w)")
    lines = code.split("\n")
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return pattern.sub(HIDDEN, code)
    for token in reversed(tokens):
        if token.type in TEXTS:
            (first, start), (last, end) = token.start, token.end
            text = "\n".join([*lines[first - 1 : last - 1], lines[last - 1][:end]])[start:]
            changed = lines[first - 1][:start] + pattern.sub(HIDDEN, text) + lines[last - 1][end:]
            lines[first - 1 : last] = changed.split("\n")
    return "\n".join(lines)


def _values(tree: ast.Module) -> Iterator[ast.expr]:
    """What is assigned to `….db_url` or `…["db_url"]`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(_is_url(target) for target in targets):
                yield node.value


def _is_url(target: ast.expr) -> bool:
    if isinstance(target, ast.Subscript):
        return isinstance(target.slice, ast.Constant) and target.slice.value == "db_url"
    return isinstance(target, ast.Attribute) and target.attr == "db_url"
