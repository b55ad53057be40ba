"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Write `content` to `path` (text as UTF-8), making its folder.

    A full disk, an error or a kill leaves the old file, never half a new one, and two runs at once do not mix.
    """
    with whole_file(path, mode) as stream:
        stream.write(content.encode("utf-8") if isinstance(content, str) else content)


def write_once(path: Path, content: str, mode: int = 0o644) -> bool:
    """Write a file that is made once, whole or not at all, and never over one that is there. Whether it was not there.

    Of several that do so at once, one makes the file, and the others find it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return False
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        return take_name(Path(temporary), path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def take_name(finished: Path, path: Path) -> bool:
    """Give a file that is complete its name, unless another file has it. Whether it has it now."""
    try:
        os.link(finished, path)  # unlike a rename, it fails where a file is
    except FileExistsError:
        return False
    except OSError:  # a disk without links: the name is taken first, so two runs at once are still told apart
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.replace(finished, path)
            return True
        return False
    return True


@contextmanager
def whole_file(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """The same for what is written bit by bit: the file is there once the context ends without an error.

    `mode`: its rights. mkstemp's own would keep a web server or a colleague from reading it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
