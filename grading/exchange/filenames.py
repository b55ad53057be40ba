"""Names of files, as people and platforms make them: which assignment, which copy, and what is left of the name."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import PurePosixPath

from grading.classroom import STUDENT
from grading.exchange.archives import Found
from grading.exchange.folding import letters

BROWSER_COPY = re.compile(r"\s*\((\d{1,4})\)$")

# Colab's and Google Drive's "Copy of", in their languages, Jupyter's "-Copy1", Windows' " - Copy", macOS' " copy 2"
_COPY, _OF = "(?:copy|kopie|copie|copia|cópia|kopia|kopi)", "(?:of|van|von|de|di|av|af|fra|från)"
COPY = re.compile(rf"(?<![^\W\d_]){_COPY}(?:[\s_]+{_OF}(?![^\W_]))?\s?\d*(?![^\W_])", re.IGNORECASE)
COPY_OF = rf"(?:(?<![^\W\d_]){_COPY}[\s_]+{_OF}[\s_]+)+"  # before a name
COPY_BEHIND = re.compile(rf"(?:(?-i:-Copy\d+)|\s+(?:-\s+)?{_COPY}\s*\d*|\s*\(\d{{1,4}}\))+$", re.IGNORECASE)
JOINT = r"[^\w@.-]*[_.-]?[^\w@.-]*"  # between a name and the assignment's: one sign at most that an id may have
EXPORTS = "(submissions?|exports?|downloads?|abgaben?|rendus?|entregas?|consegn[ae]|canvas|moodle|all)*"
SEPARATORS = " \t_.,-–—()"


def is_notebook(name: PurePosixPath) -> bool:
    """Whether the name is that of a notebook; browsers save some as .ipynb.txt or .ipynb.json."""
    return bool(re.search(r"\.ipynb(\.txt|\.json)?$", name.name, re.IGNORECASE))


def is_zip(part: str) -> bool:
    return part.lower().endswith(".zip")


def stem(name: PurePosixPath) -> str:
    """The name without folders and endings: `a.ipynb.zip` and `a.ipynb.txt` are a."""
    return re.sub(r"\.(ipynb(\.\w+)?|zip|txt|json)$", "", name.name, flags=re.IGNORECASE)


def outside_of_zips(name: PurePosixPath) -> tuple[str, ...]:
    """The part of a path that is not in a zip of the export; what is in one has names of the student's choice."""
    packed = (number for number, part in enumerate(name.parts, 1) if is_zip(part))
    return name.parts[: next(packed, None)]


def most(files: Sequence[Found], fits: Callable[[tuple[str, ...]], object]) -> float:
    """The share of what was handed in whose paths, outside of zips, fit; 0 where that is not more than a half.

    Counted are the folders, notebooks and zips in the outermost folder that holds several of them, so that nobody makes
    a folder of theirs the export of a platform, however many files are in it.
    """
    paths = work(files)
    depth = depth_of_the_class(paths)
    fitting: dict[str, bool] = {}
    for path in paths:
        fitting[path[depth]] = fitting.get(path[depth], True) and bool(fits(path))
    share = sum(fitting.values()) / max(len(fitting), 1)
    return share if share > 0.5 else 0.0


def depth_of_the_class(paths: set[tuple[str, ...]]) -> int:
    """How many folders are around everything that was handed in."""
    depth = 0
    while len({path[depth : depth + 1] for path in paths}) == 1 and all(len(path) > depth + 1 for path in paths):
        depth += 1
    return depth


def work(files: Sequence[Found]) -> set[tuple[str, ...]]:
    """The paths, outside of zips, of all that may be a submission: notebooks and zips."""
    names = [file.name for file in files]
    return {outside_of_zips(name) for name in names if is_notebook(name) or any(map(is_zip, name.parts))}


def without_packing(files: Sequence[Found], known: Sequence[str]) -> list[Found]:
    """The files of an export that was packed into a zip once more, whose name says nothing but that."""
    packed = {path[0] for path in work(files)}
    whole = packed.pop() if len(packed) == 1 else ""
    left = re.sub(r"[\W\d_]", "", without_assignment(stem(PurePosixPath(whole)), known))
    inside = {file.name.parts[1] for file in files if file.name.parts[0] == whole and len(file.name.parts) > 1}
    if not (is_zip(whole) and re.fullmatch(EXPORTS, left, re.IGNORECASE) and len(inside) > 1):
        return list(files)
    own = {file.name: PurePosixPath(*file.name.parts[1:]) for file in files if file.name.parts[0] == whole}
    return [replace(file, name=own.get(file.name, file.name)) for file in files]


def first_match(pattern: re.Pattern, parts: Iterable[str]) -> tuple[int, re.Match] | None:
    """The outermost part of a path that is as the platform names it: its place, and what was found."""
    return next(((place, found) for place, part in enumerate(parts) if (found := pattern.fullmatch(part))), None)


def assignment_in(name: PurePosixPath, known: Sequence[str]) -> str | None:
    """The assignment whose name stands in the file's name, or else in that of a folder; None if there is none."""
    for part in reversed(name.parts):
        for assignment in known:
            if letters(assignment) in letters(part):
                return assignment
    return None


def without_assignment(text: str, known: Sequence[str]) -> str:
    """A name without that of the assignment, however its words are joined, and without marks of a copy."""
    text = BROWSER_COPY.sub("", unicodedata.normalize("NFC", text))
    for assignment in known:
        text = _pattern(assignment).sub("_", text)
    return COPY.sub("_", text).strip(SEPARATORS)


def as_written(text: str, known: Sequence[str]) -> str:
    """As `without_assignment`, but with all signs that an id may have: `mei._01_convolution` is `mei.`, and not mei.

    Marks of a copy are left out where programs put them, and nowhere else.
    """
    text = COPY_BEHIND.sub("", re.sub(f"^{COPY_OF}", "", unicodedata.normalize("NFC", text), flags=re.IGNORECASE))
    for assignment in known:
        if found := _words_of(assignment).search(text):
            before = re.sub(f"{COPY_OF}$", "", text[: found.start()], flags=re.IGNORECASE)
            behind = re.sub(rf"^[\s_.-]*{COPY.pattern}", "", text[found.end() :], flags=re.IGNORECASE)
            parts = re.sub(f"{JOINT}$", "", before), re.sub(f"^{JOINT}", "", behind)
            text = "_".join(filter(None, parts))
    return text.strip(" \t,–—()")


def is_named_like(name: PurePosixPath, assignment: str) -> int:
    """2 for a name with the assignment's in it, 1 for a copy of such a file, 0 for another name.

    Jupyter and file managers mark a copy behind the name; it lies beside the original, which goes before it. Colab
    marks the student's own before the name.
    """
    found = _pattern(assignment).search(name.name)
    if not found:
        return 0
    return 1 if COPY.search(stem(name), max(0, found.end() - 1)) else 2


def copy_number(name: PurePosixPath, assignment: str) -> int:
    """The number behind a name that says which version it is: 2 for `a (2).ipynb`, `a_2.ipynb` and `a-v2.ipynb`."""
    plain = stem(name)
    found = BROWSER_COPY.search(plain)
    named = _pattern(assignment).search(plain)
    behind = re.fullmatch(r"v?(\d{1,4})", plain[named.end() :], re.IGNORECASE) if named else None
    return int(found[1]) if found else int(behind[1]) if behind else 0


def as_id(text: str) -> str:
    """The text, if it can be a student's id; otherwise ""."""
    return text if STUDENT.fullmatch(text) else ""


def id_of(name: str, separator: str = ".") -> str:
    """A person's name as an id, where it has letters that can stand in one: `Mei Nowak` is mei.nowak."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return as_id(separator.join(re.findall("[a-z0-9]+", plain.lower())))


@cache
def _pattern(assignment: str) -> re.Pattern:
    return re.compile(rf"[\s_.-]*{_words_of(assignment).pattern}[\s_.-]*", re.IGNORECASE)


@cache
def _words_of(assignment: str) -> re.Pattern:
    words = r"[\s_.-]*".join(map(re.escape, re.findall(r"[^\W_]+", assignment)))
    return re.compile(rf"(?<!\d){words}(?![^\W\d_])", re.IGNORECASE)
