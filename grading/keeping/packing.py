"""A class's folder as one zip: all that one needs to answer a complaint in two years, with checksums.

The zip holds the folder as it is, so that any unzip will do, and three files beside: `ARCHIVE.txt` for a person,
`archive.json` for a program, and `archive.sha256`, which `sha256sum -c` reads.
"""

import hashlib
import json
import os
import stat
import tempfile
import tokenize
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from grading.classroom import Classroom
from grading.gradebook.book import Book
from grading.keeping.about import ABOUT, CHECKSUMS, OURS, README, Database, about, readme
from grading.keeping.configuration import without_database, without_database_in_json, without_passwords
from grading.keeping.copying import copy_database
from grading.keeping.passwords import is_made_for_passwords, scrub_json, scrub_python, scrub_text
from grading.lock import class_lock
from grading.problems import GradingError
from grading.untrusted.text import printable
from utils.files import whole_file

CONFIGURATION, JSON_TOO = "nbgrader_config.py", "nbgrader_config.json"  # nbgrader reads both, the second last
PRIVATE_CHECKS = "private_checks"
NOT_BY_HAND = {"submitted", "autograded", "feedback", "results", "report", "release", "source", "roster.json"}
TEXTS = {"", ".py", ".json", ".toml", ".ini", ".cfg", ".cnf", ".conf", ".yaml", ".yml", ".properties", ".txt", ".md"}
TEXTS |= {".sh", ".bash", ".zsh", ".bat", ".ps1", ".sql", ".service", ".xml", ".rst", ".log", ".bak", ".old", ".orig"}
BESIDE = ("", "-journal", "-wal", "-shm")  # what SQLite has beside a file, and the file itself
PIECE = 1024 * 1024  # bytes that are read at once
OLDEST = datetime(1980, 1, 1, tzinfo=UTC)  # that a zip can tell


@dataclass
class Packed:
    """What an archive came to: its checksum, the number of files, and what of the folder is not in it."""

    path: Path
    sha256: str = ""
    files: int = 0
    left_out: list[str] = field(default_factory=list)


def pack(classroom: Classroom, path: Path, checks: Path | None = None) -> Packed:
    """Write all of a class into one zip, whole or not at all. The same class always gives the same bytes.

    The gradebook is in it as an SQLite file, whatever its database is, and no password is. Hidden files and links are
    left out. Each file is read bit by bit, so that the size of the class does not matter.

    Args:
        classroom: what to keep. Nothing grades in it meanwhile.
        path: the zip, which is replaced. It may not lie in the class's folder.
        checks: the folder of the instructor's private checks, which become `private_checks/`.

    Raises GradingError if there is no class, a run is grading in it, or its gradebook cannot be read.
    """
    root = classroom.root.resolve()
    if not (root / "release").is_dir():
        raise GradingError(f"{classroom.root} is no folder of a class: nothing was released in it.")
    if path.resolve().is_relative_to(root):
        raise GradingError(
            f"{path} lies in the class's folder, which it is to hold. Write it somewhere else: ../{path.name}"
        )
    with class_lock(classroom), tempfile.TemporaryDirectory() as temporary:
        members, left_out = _members(root, checks)
        database = _own_gradebook(classroom, members, Path(temporary))
        with whole_file(path, mode=0o600) as stream:  # all grades, and the secret of published pages
            _write(stream, members, about(classroom, database, left_out))
    return Packed(path, _sha256(path), len(members), left_out)


def _members(root: Path, checks: Path | None) -> tuple[dict[str, Path], list[str]]:
    """{name in the archive: file}, and the names of what is no ordinary file."""
    found = list(_files(root, PurePosixPath()))
    found += _files(checks.resolve(), PurePosixPath(PRIVATE_CHECKS)) if checks else []
    members = {str(name): file for name, file in found if _is_kept(str(name), file) and str(name) not in OURS}
    left_out = sorted(printable(name) for name, file in found if not _is_kept(str(name), file))
    return members, left_out


def _is_kept(name: str, file: Path) -> bool:
    """Whether it is an ordinary file, not one for passwords, and has a name that a line of checksums can hold."""
    if PurePosixPath(name).parts[0] not in NOT_BY_HAND and is_made_for_passwords(name):
        return False
    return stat.S_ISREG(file.lstat().st_mode) and name.isprintable() and "\\" not in name


def _files(folder: Path, inside: PurePosixPath) -> Iterator[tuple[PurePosixPath, Path]]:
    """What is neither hidden nor made by Python. No folder that a link leads to is entered."""
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        for name in (*links, *names):
            if not name.startswith("."):
                file = Path(parent) / name
                yield inside / PurePosixPath(file.relative_to(folder)), file


def _own_gradebook(classroom: Classroom, members: dict[str, Path], temporary: Path) -> Database:
    """Put a copy of the gradebook in the place of its file, and a configuration that names no other database."""
    with Book(classroom) as book:
        database = Database.of(book.url)
    its_files = {f"{database.file.resolve()}{ending}" for ending in BESIDE} if database.file else set()
    for name in [name for name, file in members.items() if str(file) in its_files]:
        del members[name]
    newest = max(file.stat().st_mtime for file in members.values())
    copy = temporary / classroom.gradebook.name
    copy_database(database.url, copy)
    _date(copy, database.file.stat().st_mtime if database.file else newest)
    members[copy.name] = copy
    members.setdefault(CONFIGURATION, Path(os.devnull))
    passwords = (*database.passwords(), os.environ.get("PGPASSWORD", ""))
    for number, name in enumerate([name for name in members if _is_by_hand(name)]):
        ours, copy = members[name], temporary / f"{number}"
        text = ours.read_text(encoding="utf-8", errors="surrogateescape")
        changed = _without_passwords(name, text, passwords)
        if changed != text:
            copy.write_text(changed, encoding="utf-8", errors="surrogateescape", newline="")
            _date(copy, ours.stat().st_mtime if ours.is_file() else newest)
            members[name] = copy
    return database


def _is_by_hand(name: str) -> bool:
    """Whether it is a text that the instructor wrote, and no list of the class."""
    path = PurePosixPath(name)
    return path.parts[0] not in NOT_BY_HAND and path.suffix.lower() in TEXTS


def _without_passwords(name: str, text: str, known: Sequence[str]) -> str:
    """A text without the passwords in it. What is no JSON or Python is read line by line, whatever it is called."""
    try:
        if name.endswith(".json"):
            text = scrub_json(text, known)
        else:
            text = scrub_python(text, known) if name.endswith(".py") else scrub_text(text, known)
    except (SyntaxError, ValueError, tokenize.TokenError):
        text = scrub_text(text, known)
    if name == JSON_TOO:
        return without_database_in_json(text)
    if name == CONFIGURATION:
        return without_database(text, known)
    return without_passwords(text, known) if name.endswith(".py") else text


def _date(file: Path, modified: float) -> None:
    os.utime(file, (modified, modified))


def _write(stream: BinaryIO, members: dict[str, Path], facts: dict) -> None:
    modified = {name: int(file.stat().st_mtime) for name, file in members.items()}
    newest = max(modified.values())
    sums = {}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        sums[README] = _write_text(archive, README, readme(facts, newest), newest)
        for name in sorted(members):
            sums[name] = _write_file(archive, name, members[name], modified[name])
        text = json.dumps(facts | {"modified": dict(sorted(modified.items()))}, indent=1, ensure_ascii=False)
        sums[ABOUT] = _write_text(archive, ABOUT, text, newest)
        _write_text(archive, CHECKSUMS, "".join(f"{sha256}  {name}\n" for name, sha256 in sums.items()), newest)


def _write_file(archive: zipfile.ZipFile, name: str, file: Path, modified: int) -> str:
    """The checksum of what was written."""
    digest, info = hashlib.sha256(), _info(name, modified)
    info.file_size = file.stat().st_size  # tells zipfile whether it must expect more than 4 GB
    with file.open("rb") as source, archive.open(info, "w") as member:
        while piece := source.read(PIECE):
            digest.update(piece)
            member.write(piece)
    return digest.hexdigest()


def _write_text(archive: zipfile.ZipFile, name: str, text: str, modified: int) -> str:
    archive.writestr(_info(name, modified), text.encode())
    return hashlib.sha256(text.encode()).hexdigest()


def _info(name: str, modified: int) -> zipfile.ZipInfo:
    """A zip has no zone: its times are UTC here, so that the same class gives the same bytes everywhere."""
    time = max(datetime.fromtimestamp(modified, UTC), OLDEST)
    info = zipfile.ZipInfo(name, time.timetuple()[:6])
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
