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
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from heapq import heappop, heappush
from pathlib import Path, PurePosixPath

from grading.exchange.folders import MOST_FOLDERS, entries_below, read_as_seen, state_of
from grading.exchange.leftovers import is_left_by_a_tool
from grading.exchange.memory import Memory
from grading.problems import GradingError
from grading.submission.parsing import MOST_BYTES, Unreadable

MOST_MEMBERS = 100_000  # of the archive of a class, and of all students' zips in it or in a folder
MOST_MEMBERS_INSIDE = 1_000  # of one student's zip, and of the zips in it
MOST_BYTES_INSIDE = 5 * MOST_BYTES  # of the zips in one student's zip
DEEPEST = 3  # zips around a file, not counting the archive of the class
LONGEST_NAME = 1_000

UTF8_FLAG = 0x800

TOGETHER = f"all zips here hold more than {MOST_MEMBERS:,} files, and this is one of the fullest"

BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""What zipfile raises for damage, for encryption, and for what it does not know."""


@dataclass(frozen=True)
class Found:
    """A file: its name from the source on, zips being like folders; when it was changed; and how to read it.

    `modified` of a file in a student's zip is that of the zip: the dates inside are of the student's choice.
    `problem` is empty, or says why it must not be read. `read` raises Unreadable.
    """

    name: PurePosixPath
    modified: datetime | None
    read: Callable[[], bytes]
    problem: str = ""


@contextmanager
def files_in(
    source: Path, complete: Collection[PurePosixPath] | None = None, memory: Memory | None = None
) -> Iterator[list[Found]]:
    """All files of a folder or a zip, in the order of their names; they can be read within the context.

    What tools leave behind is not among them, see `leftovers`.

    Args:
        source: the folder or the zip.
        complete: for a folder that others write into meanwhile, the files that count. Their time is then when this
            machine's file system saw them change, since learners and sync tools set the other one.
        memory: of earlier collections of this folder; what has not changed since is not opened again.

    Raises GradingError if the source is neither, or is a zip that cannot be opened.
    """
    try:
        if source.is_dir():
            yield _in_folder(source, complete, memory or Memory())
        elif source.is_file():
            try:
                archive = zipfile.ZipFile(source)
            except BROKEN_ZIP as error:
                raise GradingError(f"{source} is neither a folder nor a zip that can be opened: {error}") from error
            with archive:
                if len(archive.infolist()) > MOST_MEMBERS:
                    raise GradingError(f"{source} holds more than {MOST_MEMBERS:,} files. Is it the right archive?")
                files = _in_zip(archive, PurePosixPath(), _zip_time, partial(_member, archive))
                yield _within_bounds((file, _look(file)) for file in sorted(files, key=lambda file: str(file.name)))
        else:
            raise GradingError(f"{source} does not exist. Give a folder or a zip of submissions.")
    finally:
        _opened.cache_clear()


def _look(file: Found) -> list[Found]:
    return _in_students_zip(file) if _is_zip(file) else [file]


def _within_bounds(held: Iterable[tuple[Found, list[Found]]]) -> list[Found]:
    """All that is in these files. Where their zips hold too much together, those stay closed that hold most.

    A closed one is given to whoever keeps the list of what it held, too.
    """
    every, fullest, total = [], [], 0
    for file, inside in held:
        every.append(inside)
        if _is_zip(file):
            heappush(fullest, (-len(inside), len(every) - 1, file))
            total += len(inside)
        while total > MOST_MEMBERS and fullest[0][0] < -1:
            number, place, largest = heappop(fullest)
            every[place][:] = [replace(largest, problem=f"a zip that is not opened: {TOGETHER}")]
            total += number + 1
    return [one for inside in every for one in inside]


def _is_zip(file: Found) -> bool:
    return file.name.suffix.lower() == ".zip" and not file.problem


def _in_folder(folder: Path, complete: Collection[PurePosixPath] | None, memory: Memory) -> list[Found]:
    seen = [(_file(path, status, folder, complete is not None), status) for path, status in entries_below(folder)]
    seen = [(file, status) for file, status in seen if complete is None or file.name in complete]
    seen.sort(key=lambda one: str(one[0].name))
    memory.forget_but(file.name for file, _ in seen)
    return _within_bounds(
        (file, memory.held(file.name, state_of(status), partial(_look, file))) for file, status in seen
    )


def _file(path: Path, status: os.stat_result, folder: Path, arrived: bool) -> Found:
    """`arrived`: its time is when this machine's file system saw it change, and not the one that it carries."""
    modified = datetime.fromtimestamp(status.st_ctime if arrived else status.st_mtime, UTC)
    name = PurePosixPath(path.relative_to(folder))
    return Found(name, modified, partial(read_as_seen, folder, name, status), _problem(status.st_mode))


def _problem(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return f"a folder in more than {MOST_FOLDERS} others"
    if stat.S_ISLNK(mode):
        return "a link"
    return "" if stat.S_ISREG(mode) else "not an ordinary file"


class _TooMuch(Unreadable):
    """A student's zip holds more than it may, with the zips in it."""


class _Budget:
    """What is left of what one student's zip may hold, with all the zips in it."""

    def __init__(self) -> None:
        self.members, self.bytes = MOST_MEMBERS_INSIDE, MOST_BYTES_INSIDE

    def spend(self, content: bytes) -> None:
        """Raises _TooMuch if the zip holds too much. Its list of names is not read for that, as zipfile would."""
        self.members -= content.count(b"PK\x01\x02")  # one for each member
        self.bytes -= len(content)
        if self.members < 0:
            raise _TooMuch(f"it holds more than {MOST_MEMBERS_INSIDE:,} files")
        if self.bytes < 0:
            raise _TooMuch(f"the zips in it have more than {MOST_BYTES_INSIDE // 1024**2} MB")


def _in_students_zip(file: Found) -> list[Found]:
    """What is in a zip that lies in the source; the zip alone, with the problem, where it holds too much."""
    try:
        return _unpacked(file, _Budget())
    except _TooMuch as error:
        return [replace(file, problem=f"a zip that is not opened: {error}")]


def _unpacked(file: Found, budget: _Budget, depth: int = 1) -> list[Found]:
    """What is in a zip and in the zips inside it; a zip itself, with the problem, where that cannot be said."""
    if depth > DEEPEST:
        return [replace(file, problem=f"a zip in {DEEPEST} others, not a notebook: pack the notebook once")]
    try:
        budget.spend(file.read())
        inside = _in_zip(_opened(file), file.name, lambda _: file.modified, partial(_member_of, file))
    except _TooMuch:
        raise
    except Unreadable as error:
        return [replace(file, problem=f"a zip that is not opened: {error}")]
    except BROKEN_ZIP:
        return [replace(file, problem="a zip that cannot be opened")]
    every = []
    for one in inside:
        every += _unpacked(one, budget, depth + 1) if _is_zip(one) else [one]
    return every or [replace(file, problem="an empty zip")]


def _member_of(file: Found, info: zipfile.ZipInfo) -> bytes:
    return _member(_opened(file), info)


@lru_cache(DEEPEST)  # a member of the innermost zip is read with all zips around it open
def _opened(file: Found) -> zipfile.ZipFile:
    """A student's zip, opened once for its members. Raises what is in BROKEN_ZIP, and Unreadable."""
    return zipfile.ZipFile(io.BytesIO(file.read()))


def _in_zip(
    archive: zipfile.ZipFile,
    inside: PurePosixPath,
    time: Callable[[zipfile.ZipInfo], datetime | None],
    read: Callable[[zipfile.ZipInfo], bytes],
) -> list[Found]:
    found = []
    for info in archive.infolist():
        name = _name(info).replace("\\", "/")
        parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..")]
        shown = PurePosixPath(*parts) if parts else PurePosixPath("(no name)")
        if not name.endswith("/") and not is_left_by_a_tool(shown):
            found.append(Found(inside / shown, time(info), partial(read, info), unsafe(name, info)))
    return found


def _name(info: zipfile.ZipInfo) -> str:
    """The member's name. macOS writes UTF-8 without saying so, and western Windows its code page 850.

    zipfile takes both for code page 437, which has signs where 850 has letters.
    """
    if info.flag_bits & UTF8_FLAG or info.filename.isascii():
        return info.filename
    for encoding in ("utf-8", "cp850"):
        with suppress(UnicodeError):
            return info.filename.encode("cp437").decode(encoding)
    return info.filename


def unsafe(name: str, info: zipfile.ZipInfo) -> str:
    """Why a member with this name must not be read or written; empty if nothing is wrong with it."""
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
