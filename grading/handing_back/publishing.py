"""Feedback to mail or to serve: a folder of pages under names that nobody can guess, and a list for a mail merge."""

import base64
import csv
import hashlib
import hmac
import io
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from grading.classroom import Classroom
from grading.gradebook.layouts import harmless
from grading.handing_back.pages import Page
from grading.pages.render import render
from grading.problems import GradingError
from utils.files import write_once, write_whole

KEY = re.compile(r"[0-9a-f]{64}")
NAME_OF_A_PAGE = re.compile(r"\d\d_\w+-[a-z2-7]{32}\.html")
FRONT = "index.html"  # where there is none, many servers list the folder, and with it everybody's page


@dataclass
class Published:
    """The folder and the list that were written, how many pages there are, and who has no e-mail address."""

    folder: Path
    mail: Path
    written: int = 0
    without_address: list[str] = field(default_factory=list)


def publish(classroom: Classroom, pages: Sequence[Page], folder: Path, base_url: str = "") -> Published:
    """Copy pages into a folder, and write the class's `mail.csv`, which says whose is where.

    A page's name is an HMAC of assignment and student under a secret of the class, so it stays the same when it is
    written again, and neither the id nor another page's name tells it. What is as it was is not written.

    Args:
        classroom: the class's folder, where the list and the secret stay.
        pages: see `pages_of`.
        folder: where to; all of it may be served, so nothing else may be in it.
        base_url: the address under which the folder will be served, for the links; "" for none.

    Raises GradingError if the folder holds anything else, or the address is none.
    """
    base_url = check_target(classroom, folder, base_url)
    key = _key(classroom)
    published = Published(folder, classroom.mail)
    _write(folder / FRONT, render("front.html", unsafe=False).encode())
    table = [["email", "first_name", "last_name", "student", "assignment", "file", "link"]]
    for page in pages:
        student = page.student
        path = folder / name_of(page, key)
        _write(path, page.path.read_bytes())
        published.written += 1
        if not student.email and student.school_id not in published.without_address:
            published.without_address.append(student.school_id)
        person = [student.email, student.first_name, student.last_name, student.school_id]
        table.append([*person, page.assignment, str(path.resolve()), base_url and base_url + path.name])
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows([harmless(value) for value in row] for row in table)
    write_whole(classroom.mail, stream.getvalue(), mode=0o600)  # its links open everybody's page
    return published


def check_target(classroom: Classroom, folder: Path, base_url: str) -> str:
    """The address with a slash at its end. Raises GradingError where `publish` does, and writes nothing."""
    address = _checked_address(base_url)
    _refuse_other_files(folder)
    if classroom.pages_key.exists():
        _key(classroom)
    return address


def name_of(page: Page, key: bytes) -> str:
    """`01_convolution-` and 160 bits, as letters and digits."""
    digest = hmac.digest(key, f"{page.assignment}\0{page.student.id}".encode(), hashlib.sha256)
    return f"{page.assignment}-{base64.b32encode(digest[:20]).decode().lower()}.html"


def _key(classroom: Classroom) -> bytes:
    """The class's secret, which is made when it is first needed, and which others on the machine cannot read."""
    path = classroom.pages_key
    write_once(path, secrets.token_hex(32), mode=0o600)
    content = path.read_text(encoding="ascii", errors="replace").strip()
    if not KEY.fullmatch(content):
        raise GradingError(
            f"{path} is damaged. Put back the file of a backup; if there is none, delete it: all pages get other names."
        )
    return bytes.fromhex(content)


def _refuse_other_files(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise GradingError(f"{folder} is a file. Give a folder for the pages.")
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    others = [name for name in there if name != FRONT and not NAME_OF_A_PAGE.fullmatch(name)]
    if others:
        raise GradingError(
            f"{folder} holds other files ({', '.join(others[:3])}), and whoever serves the pages would serve them too. "
            "Give a folder of its own."
        )


def _checked_address(base_url: str) -> str:
    if not base_url:
        return ""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise GradingError(f"{base_url!r} is no address of a folder. One is: https://example.org/feedback/")
    return base_url.rstrip("/") + "/"


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)
