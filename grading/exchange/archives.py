"""The files in a folder or a zip, and in the zips inside it. Nothing is unpacked on disk, so no name can do harm.

Of a zip only its list of names is read, and of a member no more than a notebook may have. A bomb, whose members unpack
to far more than they take, is therefore never set off; see the security notes of Python's zipfile.
"""

import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath

from grading.problems import GradingError
from grading.submission.parsing import MOST_BYTES, Unreadable, file_bytes

MOST_MEMBERS = 100_000  # of the archive of a class
MOST_MEMBERS_INSIDE = 1_000  # of one student's zip
LONGEST_NAME = 1_000

LEFT_BY_SYSTEMS = {"__MACOSX", ".DS_Store", ".ipynb_checkpoints", ".git", "Thumbs.db", "desktop.ini"}

BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""What zipfile raises for damage, for encryption, and for what it does not know."""


@dataclass(frozen=True)
class Found:
    """A file: its name from the source on, zips being like folders; when it was changed; and how to read it.

    `problem` is empty, or says why it must not be read. `read` raises Unreadable.
    """

    name: PurePosixPath
    modified: datetime | None
    read: Callable[[], bytes]
    problem: str = ""


@contextmanager
def files_in(source: Path) -> Iterator[list[Found]]:
    """All files of a folder or a zip, in the order of their names; they can be read within the context.

    Raises GradingError if the source is neither, or is a zip that cannot be opened.
    """
    if source.is_dir():
        yield _with_inner_zips(_in_folder(source))
    elif source.is_file():
        try:
            archive = zipfile.ZipFile(source)
        except BROKEN_ZIP as error:
            raise GradingError(f"{source} is neither a folder nor a zip that can be opened: {error}") from error
        with archive:
            if len(archive.infolist()) > MOST_MEMBERS:
                raise GradingError(f"{source} holds more than {MOST_MEMBERS:,} files. Is it the right archive?")
            yield _with_inner_zips(_in_zip(archive, PurePosixPath(), partial(_member, archive)))
    else:
        raise GradingError(f"{source} does not exist. Give a folder or a zip of submissions.")


def _with_inner_zips(files: list[Found]) -> list[Found]:
    every = []
    for file in sorted(files, key=lambda file: str(file.name)):
        is_zip = file.name.suffix.lower() == ".zip" and not file.problem
        every += _in_students_zip(file) if is_zip else [file]
    return every


def _in_folder(folder: Path) -> list[Found]:
    found = []
    for parent, folders, names in os.walk(folder):  # follows no link to a folder
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = [name for name in folders if name not in LEFT_BY_SYSTEMS]
        for name in set(links + names) - LEFT_BY_SYSTEMS:
            found.append(_file(Path(parent) / name, folder))
    return found


def _file(path: Path, folder: Path) -> Found:
    status = path.lstat()
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = "a link" if stat.S_ISLNK(status.st_mode) else "not an ordinary file"
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return Found(PurePosixPath(path.relative_to(folder)), modified, lambda: file_bytes(path), problem)


def _in_students_zip(file: Found) -> list[Found]:
    """What is in a zip that lies in the source; the zip itself, with the problem, where that cannot be said."""
    try:
        content = file.read()
        if content.count(b"PK\x01\x02") > MOST_MEMBERS_INSIDE:  # one for each member; zipfile would read them all
            raise Unreadable(f"it holds more than {MOST_MEMBERS_INSIDE:,} files")
        archive = zipfile.ZipFile(io.BytesIO(content))
        inside = _in_zip(archive, file.name, lambda info: _member(zipfile.ZipFile(io.BytesIO(file.read())), info))
    except Unreadable as error:
        return [Found(file.name, file.modified, file.read, f"a zip that is not opened: {error}")]
    except BROKEN_ZIP:
        return [Found(file.name, file.modified, file.read, "a zip that cannot be opened")]
    return inside or [Found(file.name, file.modified, file.read, "an empty zip")]


def _in_zip(archive: zipfile.ZipFile, inside: PurePosixPath, read: Callable[[zipfile.ZipInfo], bytes]) -> list[Found]:
    found = []
    for info in archive.infolist():
        name = info.filename.replace("\\", "/")
        parts = PurePosixPath(name).parts
        if not name.endswith("/") and not LEFT_BY_SYSTEMS.intersection(parts):
            shown = PurePosixPath(*(part for part in parts if part not in ("/", "..")))
            found.append(Found(inside / shown, _zip_time(info), partial(read, info), _unsafe(name, info)))
    return found


def _unsafe(name: str, info: zipfile.ZipInfo) -> str:
    if name.startswith("/") or ".." in name.split("/") or re.match("[A-Za-z]:", name):
        return "a file whose name leads out of the archive"
    if len(name) > LONGEST_NAME:
        return f"a file whose name has more than {LONGEST_NAME:,} characters"
    return "a link" if stat.S_ISLNK(info.external_attr >> 16) else ""


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others may take gigabytes to unpack
        raise Unreadable("it is packed in an unusual way; pack it as an ordinary zip")
    try:
        with archive.open(info) as stream:
            content = stream.read(MOST_BYTES + 1)
    except BROKEN_ZIP as error:
        raise Unreadable("it is damaged or encrypted") from error
    if len(content) > MOST_BYTES:
        raise Unreadable(f"it has more than {MOST_BYTES // 1024**2} MB")
    return content


def _zip_time(info: zipfile.ZipInfo) -> datetime | None:
    """A zip knows the local time alone; 1980 stands for none."""
    try:
        return datetime(*info.date_time).astimezone(UTC) if info.date_time[0] > 1980 else None
    except ValueError:
        return None
