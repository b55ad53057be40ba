"""What is in a folder that others write into while it is read.

There are names of any length and depth, links, files that are gone again, and files that have taken another's place
between the look and the reading.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path, PurePosixPath

from grading.exchange.leftovers import is_left_by_a_tool
from grading.submission.parsing import Unreadable, content_of
from grading.untrusted.text import printable

State = tuple[int, ...]  # see `state_of`

MOST_FOLDERS = 20  # around a file


def entries_below(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """All that is no folder, with its status, and folders that lie deeper than MOST_FOLDERS; no link is followed.

    What tools leave behind is not among them, nor what cannot be looked at: it has gone, its name is too long, or
    nobody may.
    """
    waiting = [(folder, 0)]
    while waiting:
        parent, depth = waiting.pop()
        for path, status in _inside(parent):
            if stat.S_ISDIR(status.st_mode) and depth < MOST_FOLDERS:
                waiting.append((path, depth + 1))
            else:
                yield path, status


def _inside(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not is_left_by_a_tool(PurePosixPath(entry.name)):
                with suppress(OSError):
                    yield Path(entry.path), entry.stat(follow_symlinks=False)


def read_as_seen(folder: Path, name: PurePosixPath, seen: os.stat_result) -> bytes:
    """The content of the file `name` below `folder`, if it is still the one of which `seen` is the status.

    Each folder on the way is opened from the one before, so that no link leads elsewhere. Raises Unreadable if it is
    another file by now, or none that can be read.
    """
    try:
        with ExitStack() as opened:
            handle = _open(opened, folder, os.O_DIRECTORY)
            for part in name.parts[:-1]:
                handle = _open(opened, part, os.O_DIRECTORY | os.O_NOFOLLOW, handle)
            handle = _open(opened, name.name, os.O_NOFOLLOW | os.O_NONBLOCK, handle)  # a pipe would block
            content = content_of(handle, printable(name.name))
            if state_of(os.fstat(handle)) != state_of(seen):
                raise Unreadable(f"{printable(name.name)} was changed while it was read. Collect it once more.")
            return content
    except OSError as error:
        what = f"{printable(name.name)} cannot be opened: {error.strerror}. Hand in the notebook file itself."
        raise Unreadable(what) from error


def state_of(status: os.stat_result) -> State:
    """What tells a file from another one in its place, and from itself once it is changed."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _open(opened: ExitStack, path: Path | str, flags: int, within: int | None = None) -> int:
    handle = os.open(path, os.O_RDONLY | flags, dir_fd=within)
    opened.callback(os.close, handle)
    return handle
