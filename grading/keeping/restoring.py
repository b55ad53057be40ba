"""From an archive back to a class's folder, once every checksum is proved."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from grading.classroom import Classroom
from grading.exchange.archives import BROKEN_ZIP, unsafe
from grading.keeping.about import ABOUT, CHECKSUMS, FORMAT, OURS
from grading.keeping.packing import PIECE
from grading.problems import GradingError

LATEST = 2**36  # seconds since 1970 that a file's time may have


@dataclass(frozen=True)
class Restored:
    """How many files there are again, and what `archive.json` says of the class."""

    files: int
    about: dict[str, Any]


def unpack(path: Path, classroom: Classroom) -> Restored:
    """Make a class's folder of an archive, whole or not at all.

    Args:
        path: what `grading.keeping.packing.pack` wrote. Whoever made it is trusted: its `nbgrader_config.py` is run.
        classroom: its folder must not be there yet, or be empty.

    Raises GradingError if it is no such archive, or is damaged, or holds a file that its list of checksums does not
    name or whose name leads out of the folder: then nothing is there.
    """
    root = classroom.root.absolute()
    if root.is_symlink() or root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise GradingError(f"{classroom.root} is there already, and not empty. Name a folder that is not there yet.")
    if not path.exists():
        raise GradingError(f"{path} does not exist. Give what the command `archive` has written.")
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix=f".{root.name}.", ignore_cleanup_errors=True) as temporary:
        unfinished = Path(temporary) / "class"
        unfinished.mkdir()
        try:
            with zipfile.ZipFile(path) as archive:
                restored = _unpack_all(archive, path, unfinished)
        except BROKEN_ZIP as error:
            raise GradingError(f"{path} is damaged, or no archive: {error}. Nothing was restored.") from error
        os.replace(unfinished, root)
    return restored


def _unpack_all(archive: zipfile.ZipFile, path: Path, folder: Path) -> Restored:
    names = [info.filename for info in archive.infolist()]
    if not {ABOUT, CHECKSUMS} <= set(names):
        raise GradingError(f"{path} is no archive of a class: {ABOUT} and {CHECKSUMS} are not in it.")
    for info in archive.infolist():
        if problem := unsafe(info.filename.replace("\\", "/"), info):
            raise GradingError(f"{path} is not restored: {info.filename!r} is {problem}.")
    sums = _sums(archive)
    twice = [name for name, times in Counter(names).items() if times > 1]
    if odd := sorted({*names} ^ {*sums, CHECKSUMS}) or twice:
        raise GradingError(f"{path} is not as it was written: {CHECKSUMS} and its files differ in {odd[0]!r}.")
    for info in archive.infolist():
        sha256 = _unpack_one(archive, info, folder)
        if info.filename != CHECKSUMS and sha256 != sums[info.filename]:
            raise GradingError(f"{path} is not as it was written: {info.filename} has another checksum.")
    facts = _facts(folder, path, {*names} - {*OURS})
    for name, modified in facts["modified"].items():  # pages tell when it was graded by these
        os.utime(folder / name, (modified, modified))
    return Restored(len(facts["modified"]), facts)


def _facts(folder: Path, path: Path, names: set[str]) -> dict[str, Any]:
    """What `archive.json` says, which has a time for each of `names` and for nothing else."""
    try:
        facts = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict) or not isinstance(facts.get("format"), int):
        raise GradingError(f"{path} is no archive of a class: {ABOUT} is not as the command `archive` writes it.")
    if facts["format"] != FORMAT:
        raise GradingError(f"{path} was written by a newer version of the course. Restore it with that version.")
    times = facts.get("modified")
    if not isinstance(facts.get("database"), str) or not isinstance(times, dict) or times.keys() != names:
        raise GradingError(f"{path} is not as it was written: {ABOUT} tells of other files than there are.")
    if not all(type(time) is int and abs(time) < LATEST for time in times.values()):
        raise GradingError(f"{path} is not as it was written: a time in {ABOUT} is none.")
    return facts


def _sums(archive: zipfile.ZipFile) -> dict[str, str]:
    """{name: checksum}"""
    lines = archive.read(CHECKSUMS).decode("utf-8").splitlines()
    return {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}


def _unpack_one(archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> str:
    """The checksum of what was unpacked."""
    file = folder / PurePosixPath(info.filename)
    file.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with archive.open(info) as member, file.open("xb") as target:
        while piece := member.read(PIECE):
            digest.update(piece)
            target.write(piece)
    return digest.hexdigest()
