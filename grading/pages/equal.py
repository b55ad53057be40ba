"""Submissions of a class that are equal: the same file, or the same answers."""

import hashlib
import io
import tokenize
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from nbformat import NotebookNode

from grading.assignment import Assignment
from grading.results import Graded
from utils.checking import Status


@dataclass(frozen=True)
class Group:
    """Students whose submissions are the same file, or hold the same answers."""

    what: str
    students: list[str]


def answer_fingerprints(notebook: NotebookNode, assignment: Assignment) -> dict[str, str]:
    """{grade_id: fingerprint of the answer}, for the answers that were changed.

    Equal answers have equal fingerprints; comments, blank lines and spaces within a line do not count.
    """
    by_id = {cell.id: cell for cell in notebook.cells}
    released = {cell.id: cell for cell in assignment.notebook.cells}
    fingerprints = {}
    for grade_id, cell_id in assignment.answer_cells.items():
        if cell_id in by_id and by_id[cell_id].source != released[cell_id].source:
            fingerprints[grade_id] = hashlib.sha256("\0".join(_words(by_id[cell_id].source)).encode()).hexdigest()
    return fingerprints


def _words(source: str) -> list[str]:
    """The tokens of Python code without comments; the lines of what is no Python."""
    source = source.encode("utf-8", "replace").decode()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source.splitlines()
    return [token.string for token in tokens if token.type not in (tokenize.COMMENT, tokenize.NL)]


def same_submissions(
    graded: list[Graded], answers: Mapping[str, dict[str, str]], together: Mapping[str, Collection[str]] | None = None
) -> list[Group]:
    """Groups of students who handed in the same file, or other files with the same answers throughout.

    Submissions in which nothing was attempted are left out, and so are students who handed in one file as a group:
    `together` is {student: all of that group}.
    """
    attempted = [one for one in graded if any(mark.verdict.status is not Status.NOT_ATTEMPTED for mark in one.marks)]
    files, contents = defaultdict(list), defaultdict(list)
    for one in attempted:
        files[one.sha256 or one.student].append(one.student)
        contents[tuple(sorted(answers.get(one.student, {}).items())) or one.student].append(one.student)
    same_files = _suspicious(files.values(), together or {})
    same_answers = [group for group in _suspicious(contents.values(), together or {}) if group not in same_files]
    return [Group("the same file", group) for group in same_files] + [
        Group("the same answers", group) for group in same_answers
    ]


def _suspicious(groups: Iterable[list[str]], together: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Those with more than one student who did not hand in together."""
    return [group for group in groups if not set(group) <= {group[0], *together.get(group[0], ())}]
