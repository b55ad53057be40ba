"""What students wrote under a question, and which of it is equal."""

import json
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from grading.classroom import Classroom
from grading.gradebook.autograded import as_written
from grading.quizzes.questions import STUB, Question

MAX_FOLDED = 20_000  # characters that are compared; longer answers are equal if they are the same
_MARKS = re.compile(r"[*_`]+")
_CHOICE = re.compile(r"\s*(\w)\)")  # c), as the first thing that is said
_MINUS = re.compile(r"[–—](?=\w)")  # what phones and word processors make of a minus
_HAS_FORMULA = re.compile(r"[0-9=+*/^<>]")
_WORDS = re.compile(r"\d*(?:[.,]\d+)+|\w+|'(?=\()|[^\w\s.,;:?()'\"‘“”«»…–—]")
_WORDS_OF_FORMULAS = re.compile(_WORDS.pattern.replace("?()", "?"))


def written_under(question: Question, cell: str) -> str:
    """What a student added to the text of a question; all of the cell where the question's own lines were changed.

    Who strikes out choices has answered too, so what is left of a changed question is shown as it is.
    """
    wanted = [stripped for line in as_written(question.text).split("\n") if (stripped := line.strip())]
    cell, added = as_written(cell).replace(STUB, ""), []
    for line in cell.split("\n"):
        if wanted and line.strip() == wanted[0]:
            wanted.pop(0)
        else:
            added.append(line)
    return (cell if wanted else "\n".join(added)).strip()


def folded(answer: str) -> str:
    """The answer without case, layout, emphasis and punctuation. Numbers, signs and formulas stay: 1.5 is not 15."""
    if len(answer) > MAX_FOLDED:
        return answer
    text = unicodedata.normalize("NFC", answer).casefold().replace("’", "'")
    if choice := _CHOICE.match(text):
        text = f"{choice[1]} {text[choice.end() :]}"
    text = _MARKS.sub(_without_emphasis, _MINUS.sub("-", text))
    return " ".join((_WORDS_OF_FORMULAS if _HAS_FORMULA.search(text) else _WORDS).findall(text))


def _without_emphasis(marks: re.Match[str]) -> str:
    """Nothing of `**c**`, all of 2*3, of 2 * 3 and of a_name."""
    text, (start, end) = marks.string, marks.span()
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    is_within, is_operator = before.isalnum() and after.isalnum(), before == after == " "
    return marks[0] if is_within or is_operator else " "


@dataclass
class Notebooks:
    """The quizzes' cells of the graded notebooks of a class, each file read again only when it has changed."""

    classroom: Classroom
    _kept: dict[Path, tuple[tuple[int, int], dict[str, str]]] = field(default_factory=dict)

    def answer(self, student: str, question: Question) -> str:
        """What this student wrote under the question; "" where there is nothing."""
        path = self.classroom.autograded(student, question.assignment)
        try:
            stat = path.stat()
        except OSError:
            return ""
        stamp = stat.st_mtime_ns, stat.st_size
        if self._kept.get(path, (None,))[0] != stamp:
            self._kept[path] = stamp, _quiz_cells(path)
        cell = self._kept[path][1].get(question.cell, "")
        return written_under(question, cell)


def _quiz_cells(path: Path) -> dict[str, str]:
    """{grade_id: source} of a notebook that we wrote, or `nbgrader autograde`, which writes lists of lines."""
    cells = json.loads(path.read_bytes())["cells"]
    marked = ((cell, cell["metadata"].get("nbgrader", {})) for cell in cells)
    return {of["grade_id"]: "".join(cell["source"]) for cell, of in marked if of.get("grade") and of.get("solution")}
