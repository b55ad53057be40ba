"""The notebook in a file, whatever encoding it is in and whatever stands behind it.

A notebook is UTF-8 (https://nbformat.readthedocs.io/en/latest/format_description.html), and JSON. Editors, mail and
synchronised folders make other files of it, which can still be read without a guess about what the student wrote.
"""

import json
from typing import Any

from grading.submission.kinds import Unreadable, no_notebook, other_json

MOST_PARTS = 1_000_000  # lists and objects; parsed, each takes some 80 bytes, empty ones too
BLANKS = " \t\r\n"
FILLING = BLANKS + "\0\x1a\ufeff"  # what systems leave behind the end of a text
CELLS = ("cells", "worksheets")  # before version 4 of the format the cells were on worksheets


def notebook_in(content: bytes) -> tuple[dict, list[str]]:
    """The JSON object of a notebook, and notes on what was odd about its file.

    Raises Unreadable, with what the file is instead, if there is none, or more than one, or one with too many parts.
    """
    if not content.strip(FILLING.encode()):
        raise Unreadable(_empty(content))
    if content.count(b"[") + content.count(b"{") > MOST_PARTS:
        raise Unreadable(f"The file has more than {MOST_PARTS:,} lists and objects. Clear its outputs.")
    text, notes = _decoded(content)
    start = len(text) - len(text.lstrip(FILLING))
    value, end = _parsed(content, text, start)
    rest = text[end:]
    is_notebook = isinstance(value, dict) and any(isinstance(value.get(key), list) for key in CELLS)
    if not is_notebook and rest.strip(FILLING):
        raise no_notebook(content, text, "The file is not JSON, so it is no notebook.")
    if not is_notebook:
        raise other_json(value)
    if any(f'"{key}"' in rest for key in CELLS):
        raise Unreadable("The file holds two notebooks, one after the other. Hand in one of them alone.")
    if rest.strip(BLANKS):
        notes.append("Behind the end of the notebook stood something else, which was left out.")
    return value, notes


def _empty(content: bytes) -> str:
    if b"\0" in content:
        return "The file is empty: it has zeros instead of text. Open your notebook, save it, and hand it in again."
    return "The file is empty. Open your notebook, save it, and hand it in again."


def _decoded(content: bytes) -> tuple[str, list[str]]:
    """The text of a file, and a note if it is not in UTF-8. Text in one byte a letter is taken as Windows-1252."""
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        return _from_bytes(content)
    is_usual = encoding.startswith("utf-8")
    return text, [] if is_usual else [f"The file is {encoding.upper()[:6]} text, where a notebook is UTF-8."]


def _from_bytes(content: bytes) -> tuple[str, list[str]]:
    """The text of a file that is not quite UTF-8: damaged, where most of its letters are well formed."""
    text = content.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    if len(text) - len(text.encode("ascii", "ignore")) >= 2 * damaged:
        return text, [f"The file has {damaged:,} damaged letters."]
    note = "The file is Windows-1252 text, where a notebook is UTF-8. Some letters may be other ones."
    return content.decode("cp1252", "replace"), [note]


def _parsed(content: bytes, text: str, start: int) -> tuple[Any, int]:
    """The first JSON value of a text from `start` on, and where it ends."""
    try:
        return json.JSONDecoder().raw_decode(text, start)
    except RecursionError as error:
        raise Unreadable("The file is nested too deep for a notebook.") from error
    except json.JSONDecodeError as error:
        raise no_notebook(content, text, _problem(content, text, error)) from error
    except ValueError as error:  # a number with thousands of digits
        raise Unreadable("The file holds a number that is too long for a notebook.") from error


def _problem(content: bytes, text: str, error: json.JSONDecodeError) -> str:
    where = f"(line {error.lineno}: {error.msg})"
    if text.lstrip(FILLING).startswith("{"):
        if error.pos >= len(text.rstrip(FILLING)) or error.msg.startswith("Unterminated string"):
            return f"The file breaks off in the middle, so it is not JSON and no notebook {where}. Save it once more."
    elif not _is_text(content):
        return "The file is not UTF-8 text, so it is no notebook."
    return f"The file is not JSON, so it is no notebook {where}. Open it in Jupyter, and save it once more."


def _is_text(content: bytes) -> bool:
    try:
        content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        return False
    return True
