"""What a file is that is no notebook, in words that its author understands, and what to hand in instead."""

import re
from typing import Any

from grading.problems import GradingError


class Unreadable(GradingError):
    """The submission cannot be read as a notebook. The message says why, in a sentence that its author understands."""


LOOKED_AT = 100_000  # characters of a text

_SAVE = "Hand in the notebook itself, a file that ends in .ipynb."
_UNPACK = "Unpack it, and hand in the notebook that is in it."
_DOWNLOAD = "In Jupyter choose File > Download, in Colab File > Download > Download .ipynb, and hand in that file."
_PICTURE = ("a picture", _SAVE)
_SCRIPT = ("a Python script", _DOWNLOAD)
_SHORTCUT = ("a shortcut, which holds the address of a file and not the file", _DOWNLOAD)

# The first bytes of a file. Sources: the formats' own specifications, collected in `file`'s magic(5).
_BINARY: list[tuple[bytes, tuple[str, str]]] = [
    (b"%PDF-", ("a PDF", _SAVE)),
    (b"\x1f\x8b", ("packed by gzip", _UNPACK)),
    (b"BZh", ("packed by bzip2", _UNPACK)),
    (b"\xfd7zXZ\x00", ("packed by xz", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", ("packed by zstd", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", ("a 7z archive that was renamed", _UNPACK)),
    (b"Rar!", ("a RAR archive that was renamed", _UNPACK)),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"\xd0\xcf\x11\xe0", ("a document of Microsoft Office", _SAVE)),
    (b"{\\rtf", ("a text document (RTF)", _SAVE)),
    (b"\x00\x05\x16\x07", ("a side file of macOS (its name begins with ._) and not the notebook beside it", _SAVE)),
    (b"L\x00\x00\x00\x01\x14\x02\x00", _SHORTCUT),
    (b"bplist00", _SHORTCUT),
    (b"SQLite format 3\x00", ("a database (SQLite)", _SAVE)),
]

_TEXT: list[tuple[re.Pattern, tuple[str, str]]] = [
    (
        re.compile(r"\Aversion https://git-lfs\.github\.com/"),
        ("a Git LFS pointer, which stands for a file that was not fetched", f"Run `git lfs pull` first. {_SAVE}"),
    ),
    (re.compile(r"\A(?:(?:<\?xml[^>]*>\s*)?<!DOCTYPE plist|\[InternetShortcut\]|\[Desktop Entry\])"), _SHORTCUT),
    (re.compile(r"(?is)\A.{0,1000}?<(?:!doctype html|html|head|body)\b"), ("a web page (HTML)", _DOWNLOAD)),
    (re.compile(r"(?i)\A(?:MIME-Version:|From: <Saved by)"), ("a saved web page", _DOWNLOAD)),
    (re.compile(r"\A<\?xml"), ("XML", _SAVE)),
    (re.compile(r"\A(?:#!|# ---\s+# jupyter:|# %%|# In ?\[)"), _SCRIPT),
    (re.compile(r"(?m)^```"), ("Markdown", _SAVE)),
    (re.compile(r"(?m)^(?:import \w|from [\w.]+ import |def \w+\(|class \w+[:(])"), _SCRIPT),
    (re.compile(r"\A#{1,6} "), ("Markdown", _SAVE)),
]
_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: |$)", re.MULTILINE)


def no_notebook(content: bytes, text: str, problem: str) -> Unreadable:
    """Why a file is no notebook.

    Args:
        content: the file.
        text: what was decoded of it; "" if it is no text at all.
        problem: what kept it from being read, as a sentence for files that are nothing we know.
    """
    if _CONFLICT.search(text):
        return Unreadable(
            "The file has git's conflict marks (<<<<<<<, >>>>>>>) in it, so it is not JSON and no notebook. "
            "Solve the conflict, for example by `git checkout --ours FILE`, open it once in Jupyter, and save it."
        )
    if kind := _archive(content) or _kind(content, text.lstrip()):
        what, help_ = kind
        return Unreadable(f"The file is {what}: it is not JSON, so it is no notebook. {help_}")
    return Unreadable(problem)


def other_json(value: Any) -> Unreadable:
    """Why a JSON value is no notebook."""
    if isinstance(value, dict) and {"doc_id", "resource_id"} & value.keys():
        return Unreadable(f"The file is a shortcut of Google Drive, and no notebook. {_DOWNLOAD}")
    if isinstance(value, dict) and isinstance(value.get("url"), str):
        return Unreadable(f"The file is {_SHORTCUT[0]}, so it is no notebook. {_DOWNLOAD}")
    return Unreadable(f'The file is JSON, but no notebook: it has no list of "cells". {_SAVE}')


def _archive(content: bytes) -> tuple[str, str] | None:
    """A zip by what is in it, since documents are zips too; names in a zip are not packed."""
    if content[257:262] == b"ustar":
        return "a tar archive that was renamed", _UNPACK
    if not content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    if b"[Content_Types].xml" in content or b"application/vnd.oasis.opendocument" in content[:200]:
        return "a document of an office program, such as Word", _SAVE
    return "a zip that was renamed", _UNPACK


def _kind(content: bytes, text: str) -> tuple[str, str] | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" or content[4:12] in (b"ftypheic", b"ftypavif"):
        return _PICTURE
    if binary := next((kind for start, kind in _BINARY if content.startswith(start)), None):
        return binary
    if text.startswith("{"):  # broken JSON, which may speak of anything
        return None
    return next((kind for pattern, kind in _TEXT if pattern.search(text[:LOOKED_AT])), None)
