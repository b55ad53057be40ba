"""Passwords in files that somebody wrote by hand, taken out by what they are called and by where they stand.

What goes may be more than a password, and is not less than what the text shows: a value that is put together of pieces
goes as a whole, and so does a comment that looks like a setting and cannot be read as one.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator, Sequence
from typing import Any

HIDDEN = "***"
UNKNOWN = "\0"  # in the place of what only the program knows

IN_A_URL = re.compile(rf"(://[^/\s:@]*:)(?!{re.escape(HIDDEN)}@|{UNKNOWN}@)[^\s]+(?=@)")
IN_A_QUERY = re.compile(r"([?&;](?:ssl)?(?:password|passwd|pwd)=)(?!\*\*\*|\0)[^&\s\"'#]+", re.IGNORECASE)
IN_A_LINE = re.compile(
    r"(\b(?:ssl)?(?:password|passwd|pwd)\s*=\s*)(?!\*\*\*|\0)(?:'[^']+'|[^\s\"'=]+)", re.IGNORECASE
)  # libpq's
OF_NETRC = re.compile(r"(\blogin\s+\S+\s+password\s+)(?!\*\*\*)\S+", re.IGNORECASE)
OF_PGPASS = re.compile(r"^([^\s:#'\"]+:(?:\d+|\*):[^\s:]+:[^\s:]+:)(?!\*\*\*)\S.*$", re.MULTILINE)
OF_A_PROGRAM = re.compile(
    r"((?:^|\s)--?(?:password|passwd|pwd|pass)[ \t=]+)(?!\*\*\*)[^\s\"',)\]]+", re.IGNORECASE | re.MULTILINE
)
OF_A_HEADER = re.compile(r"(\bauthorization\W{1,6}(?:basic|bearer|token)\s+)(?!\*\*\*)[^\s\"'{]+", re.IGNORECASE)
OF_XML = re.compile(r"(<[\w.:-]*(?:password|passwd|pwd)>\s*)(?!\*\*\*)[^\s<][^<]*", re.IGNORECASE)
SEEN = (IN_A_URL, IN_A_QUERY, IN_A_LINE, OF_NETRC, OF_PGPASS, OF_A_PROGRAM, OF_A_HEADER, OF_XML)

CALLED = re.compile(
    r"passw|passphrase|passcode|kennwort|mot_?de_?passe|contrase|wachtwoord|^authorization$|"
    r"(?:^|_)(?:pass|pw|pwd|secret|credentials?|senha|parola|(?:api|access|private|secret)_?key|"
    r"(?:auth|access|api|bearer)_?token)\d*$",
    re.IGNORECASE,
)
SETTING = re.compile(
    r"^(?P<before>\W*(?:export\s+|set\s+)?(?P<name>[\w.$-]+(?:\[[^\]]*\])*)[\"']?\s*[:=]\s*)(?=\S)(?P<value>.*)$"
)
MADE_FOR_THEM = re.compile(
    r"(?:^|[._-])(?:pgpass|netrc|env|my\.cnf|mylogin\.cnf|htpasswd|secrets?|credentials?|passw\w*|id_(?:rsa|dsa|ecdsa|ed25519))"
    r"(?:[._-]|$)|\.(?:pem|p12|pfx|kdbx|ppk|jks|gpg)$",
    re.IGNORECASE,
)
IN_PASSING = re.compile(r"""(?P<before>(?P<name>[\w.-]+)["']?\s*[:=]\s*)(?P<value>"[^"]*"|'[^']*'|[^\s,;"'})\]]+)""")
READ_ELSEWHERE = ("environ.get", "getenv", "getpass", "get_config")


def is_made_for_passwords(name: str) -> bool:
    """Whether a file is called as those are that hold little else: `db.env`, a copy of `.pgpass`, `id_rsa`."""
    return not name.endswith(".py") and bool(MADE_FOR_THEM.search(name.rpartition("/")[2]))


def is_called_like_one(name: str) -> bool:
    """Whether what has this name is a password: `SMTP_PASSWORD`, `dbPass`, `pw`, `environ["PGPASSWORD"]`."""
    last = re.findall(r"[\w-]+", name)[-1:]
    return bool(last and CALLED.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", last[0])))


def scrubbed(text: str) -> str:
    """A text without the passwords that are seen in it: those of URLs, and those that stand behind the word."""
    for pattern in SEEN:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


def scrub_text(text: str, known: Sequence[str] = ()) -> str:
    """A file of settings that is no Python, line by line; lines that go on from a password are left out, too."""
    lines, goes_on = [], False
    for line in text.split("\n"):
        found = SETTING.match(line)
        if goes_on and (line[:1].isspace() or lines[-1].endswith("\\")):
            lines.append(HIDDEN + ("\\" if line.endswith("\\") else ""))
            continue
        goes_on = bool(found and is_called_like_one(found["name"]))
        if found and goes_on:
            line = found["before"] + HIDDEN + ("\\" if line.endswith("\\") else "")
        lines.append(IN_PASSING.sub(_hide, scrubbed(line)))
    return _without_known("\n".join(lines), known)


def _hide(found: re.Match) -> str:
    return found["before"] + f'"{HIDDEN}"' if is_called_like_one(found["name"]) else found[0]


def scrub_json(text: str, known: Sequence[str] = ()) -> str:
    """A JSON file without passwords. Raises ValueError for what is none."""

    def clean(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            inherited = name if is_called_like_one(name) else ""
            return {key: clean(one, inherited or key) for key, one in value.items()}
        if isinstance(value, list):
            return [clean(one, name) for one in value]
        if is_called_like_one(name) and value not in (None, "", True, False):
            return HIDDEN
        return _without_known(scrubbed(value), known) if isinstance(value, str) else value

    found = json.loads(text)
    changed = clean(found)
    return text if changed == found else json.dumps(changed, indent=2, ensure_ascii=False)


def scrub_python(code: str, known: Sequence[str] = ()) -> str:
    """Python without passwords, in code and in comments. `known` are some that are in use.

    Raises SyntaxError for what is none.
    """
    return _in_comments(_in_code(code, known), known)


def _without_known(text: str, known: Sequence[str]) -> str:
    for one in filter(None, known):
        text = re.sub(rf"(?<![\w./\\-]){re.escape(one)}(?![\w/\\-]|\.\w)", HIDDEN, text)
    return text


# --- code -------------------------------------------------------------------------------------------------------------


def _in_code(code: str, known: Sequence[str]) -> str:
    lines = code.encode().split(b"\n")  # as Python counts: a form feed ends no line, and columns are bytes
    found = sorted(_secrets(ast.parse(code), known), key=lambda one: (one.lineno, one.col_offset), reverse=True)
    for value in found:
        first, last = value.lineno - 1, (value.end_lineno or value.lineno) - 1
        instead = repr(_instead(value, known)).encode()
        lines[first : last + 1] = [lines[first][: value.col_offset] + instead + lines[last][value.end_col_offset :]]
    return b"\n".join(lines).decode()


def _instead(value: ast.expr, known: Sequence[str]) -> str:
    """Of one text that holds a password the rest; of anything else nothing."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and _gives_away(value.value, known):
        return _without_known(scrubbed(value.value), known)
    return HIDDEN


def _secrets(node: ast.AST, known: Sequence[str]) -> Iterator[ast.expr]:
    """The values in code that are passwords or hold one; nothing inside of another one."""
    if isinstance(node, ast.expr) and _gives_away(_folded(node), known):
        yield node
        return
    named = {id(value): value for name, value in _named(node) if is_called_like_one(name) and _is_told(value)}
    yield from named.values()
    for child in ast.iter_child_nodes(node):
        if id(child) not in named:
            inside = {id(one) for one in ast.walk(child)} & named.keys()
            yield from (one for one in _secrets(child, known) if id(one) not in inside)


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """(name, value) of what a node gives a name to."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple | ast.List) and isinstance(node.value, ast.Tuple | ast.List):
                pairs = zip(target.elts, node.value.elts, strict=False)
                yield from ((ast.unparse(one), value) for one, value in pairs)
            yield ast.unparse(target), node.value
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value:
        yield ast.unparse(node.target), node.value
    elif isinstance(node, ast.keyword):
        yield node.arg or "", node.value
    elif isinstance(node, ast.Dict):
        yield from ((ast.unparse(key), value) for key, value in zip(node.keys, node.values, strict=True) if key)
    elif isinstance(node, ast.arguments):
        names = [*node.posonlyargs, *node.args]
        yield from zip((one.arg for one in names[len(names) - len(node.defaults) :]), node.defaults, strict=True)
        yield from ((one.arg, value) for one, value in zip(node.kwonlyargs, node.kw_defaults, strict=True) if value)
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".login"):  # smtplib's, imaplib's, ftplib's
        yield from (("password", value) for value in node.args[1:2])
    elif isinstance(node, ast.Call):  # setattr(x, "password", …), environ.setdefault("PGPASSWORD", …)
        for name, value in zip(node.args, node.args[1:], strict=False):
            if isinstance(name, ast.Constant) and isinstance(name.value, str) and not _reads(node):
                yield name.value, value
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2:  # dict([("password", …)])
        yield ast.unparse(node.elts[0]), node.elts[1]


def _is_told(value: ast.AST) -> bool:
    """Whether the text has the value, or a part of it, rather than where to read it."""
    if isinstance(value, ast.Constant):
        return value.value not in ("", b"", HIDDEN) and not isinstance(value.value, bool | None | type(...))
    if isinstance(value, ast.Subscript) and ast.unparse(value.value).endswith("environ"):
        return False
    if isinstance(value, ast.Call) and _reads(value):
        return any(map(_is_told, value.args[1:])) and not ast.unparse(value.func).endswith("getpass")
    return any(map(_is_told, ast.iter_child_nodes(value)))


def _reads(call: ast.Call) -> bool:
    return ast.unparse(call.func).endswith(READ_ELSEWHERE)


def _gives_away(text: str, known: Sequence[str]) -> bool:
    return any(pattern.search(text) for pattern in SEEN) or _without_known(text, known) != text


def _folded(value: ast.AST) -> str:
    """The text that an expression makes, with UNKNOWN for what is not in it. What formats a text is left as it is."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str | bytes):
        return value.value if isinstance(value.value, str) else value.value.decode("latin-1")
    if isinstance(value, ast.JoinedStr):
        return "".join(map(_folded, value.values))
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        return _folded(value.left) + _folded(value.right)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mod):
        return _folded(value.left)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        if value.func.attr == "join" and value.args and isinstance(value.args[0], ast.List | ast.Tuple):
            return _folded(value.func.value).join(map(_folded, value.args[0].elts))
        return _folded(value.func.value)
    return UNKNOWN


# --- comments ---------------------------------------------------------------------------------------------------------


def _in_comments(code: str, known: Sequence[str]) -> str:
    lines = code.split("\n")
    for block in _comments(code):
        left = list(block)
        while left:
            row, start = left[0]
            taken = _commented_out([lines[one][column:] for one, column in left], known)
            for (row, start), text in zip(left, taken, strict=False):
                lines[row] = lines[row][:start] + text
            left = left[len(taken) :]
    return "\n".join(lines)


def _comments(code: str) -> Iterator[list[tuple[int, int]]]:
    """Comments that stand one below the other: (index of the line, column) of each."""
    block: list[tuple[int, int]] = []
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start[0] - 1, token.start[1]
            if block and block[-1] != (row - 1, column):
                yield block
                block = []
            block.append((row, column))
    if block:
        yield block


def _commented_out(comments: list[str], known: Sequence[str]) -> list[str]:
    """The first of these comments without passwords; with it those that belong to it, where it is code in several."""
    if not _looks_like_a_setting(comments[0]):
        return [_without_known(scrubbed(comments[0]), known)]
    inside = [re.sub(r"^#+ ?", "", one) for one in comments]
    for number in range(1, len(inside) + 1):
        code = "\n".join(inside[:number]).lstrip()
        try:
            changed = _in_code(code, known)
        except (SyntaxError, ValueError):
            continue
        if changed == code and not _is_read_elsewhere(code):
            break
        return [f"# {one}" for one in changed.split("\n")] + [f"# {HIDDEN}"] * (number - 1 - changed.count("\n"))
    return [f"# {HIDDEN}"] * len(comments)


def _is_read_elsewhere(code: str) -> bool:
    """Whether it is no password's setting, or says where that is read. `password = hunter2` may be the password."""
    found = SETTING.match(code)
    first = ast.parse(code).body[:1]
    value = first[0].value if first and isinstance(first[0], ast.Assign | ast.AnnAssign) else None
    return not (found and is_called_like_one(found["name"])) or isinstance(
        value, ast.Call | ast.Subscript | ast.Constant
    )


def _looks_like_a_setting(comment: str) -> bool:
    found = SETTING.match(comment)
    return (
        bool(found and (is_called_like_one(found["name"]) or "db_url" in found["name"]))
        or "://" in comment
        and "@" in comment
    )
