"""Files that a command writes where an instructor says: no folder is made by a slip, and nothing of theirs is lost.

A file is replaced if this class's command wrote it and nobody has changed it since, as `written.json` in the class's
folder tells; or if the instructor says so.
"""

import hashlib
import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from grading.classroom import Classroom
from grading.problems import GradingError
from utils.files import write_whole


def check_folder(path: Path) -> None:
    """Raises GradingError if the folder that `path` is to lie in is not there."""
    folder = path.parent
    if folder.is_dir():
        return
    missing = folder
    while not missing.parent.is_dir():
        missing = missing.parent
    there = [one.name for one in missing.parent.iterdir() if one.is_dir()]
    alike = get_close_matches(missing.name, there, n=1)
    meant = (
        f"Did you mean {missing.parent / alike[0]}?"
        if alike
        else f"The nearest that is there is {missing.parent.resolve()}."
    )
    raise GradingError(f"There is no folder {folder}. {meant} Otherwise make it first: nothing was written.")


def check_output(path: Path, classroom: Classroom, holds: str, overwrite: bool, sources: Sequence[Path] = ()) -> None:
    """Raises GradingError if `path` must not be written.

    Args:
        path: the file to write.
        classroom: whose command writes it.
        holds: what it will hold. It takes the place of a file that held the same.
        overwrite: the instructor wants it written over whatever is there.
        sources: files that it is made of.
    """
    check_folder(path)
    if path.is_dir():
        raise GradingError(f"{path} is a folder. Give the name of the file to write.")
    if path.exists() and not path.is_file():  # a pipe would never be read to its end, and a device would be replaced
        raise GradingError(f"{path} is no ordinary file. Give the name of the file to write.")
    if overwrite or not path.exists():
        return
    instead = "Give another name, or say --overwrite"
    if any(source.exists() and path.samefile(source) for source in sources):
        raise GradingError(f"{path} is the very file that is to be filled in, and it would be gone. {instead}.")
    written = _written(classroom).get(str(path.resolve()), {})
    if written.get("sha256") != _hash(path):
        raise GradingError(
            f"{path} is there already, and it is no file that this class's {holds} was written to, or it was changed "
            f"since. {instead}."
        )
    if written.get("holds") != holds:
        raise GradingError(f"{path} holds the {written.get('holds')}. {instead}.")


def note_output(path: Path, classroom: Classroom, holds: str) -> None:
    """Remember that a command has written this file, so that the same one may write it again."""
    written = _written(classroom) | {str(path.resolve()): {"holds": holds, "sha256": _hash(path)}}
    write_whole(classroom.written, json.dumps(written, indent=1))


def _written(classroom: Classroom) -> dict[str, dict[str, str]]:
    """{path: what the file holds, and its hash}; nothing where there is no list that can be read."""
    try:
        found = json.loads(classroom.written.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {path: one for path, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
