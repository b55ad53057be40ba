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
_EMPHASIS = re.compile(r"(?<![\w)*])(?<![\d)] )(\*{1,3})(?=[^\s*])([^*\n]+)(?<=\S)\1(?![\w(*])")
_STARS_AT_AN_END = re.compile(r"^[ \t]*\*+|(?<!\*)\*+[ \t]*$", re.MULTILINE)  # of a line: there is nothing to multiply
_MARKS = re.compile(r"[_`]+")
_CHOICE = re.compile(r"\s*(\w)\)")  # c), as the first thing that is said
_MINUS = re.compile(r"−|[–—](?=\w|\s*(?:\(|\w\b))")  # what phones and word processors make of a minus
_DASH = re.compile("[–—]")
_HAS_FORMULA = re.compile(r"[0-9=+*/^<>-]|\w['\"”]*\(")
_WORDS = re.compile(r"\d*(?:[.,:]\d+)+|\w+|[^\w\s.,;:?()'\"‘“”«»…–—]")
_WORDS_OF_FORMULAS = re.compile(r"\d*(?:[.,:]\d+)+|\w+|(?<=\w)['\"”]+(?!\w)|[^\w\s.,;:?'\"‘“”«»…]")


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
    """The answer without case, layout, emphasis and punctuation. Numbers, signs and formulas stay: 1.5 is not 15.

    In doubt two answers are not equal: then somebody reads one more, and nobody gets the points of another answer.
    """
    if len(answer) > MAX_FOLDED:
        return answer
    text = unicodedata.normalize("NFC", answer).casefold().replace("’", "'")
    if choice := _CHOICE.match(text):
        text = f"{choice[1]} {text[choice.end() :]}"
    text = _STARS_AT_AN_END.sub(" ", _EMPHASIS.sub(r"\2", _MINUS.sub("-", text)))
    text = _MARKS.sub(_within_a_word, text)
    if _HAS_FORMULA.search(text):
        return " ".join(_WORDS_OF_FORMULAS.findall(_DASH.sub("-", text)))
    return " ".join(_WORDS.findall(text))


def _within_a_word(marks: re.Match[str]) -> str:
    """Nothing of `c` and _c_, all of a_name."""
    text, (start, end) = marks.string, marks.span()
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    return marks[0] if before.isalnum() and after.isalnum() else " "


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
