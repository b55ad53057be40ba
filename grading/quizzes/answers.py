"""What students wrote under a question, and which of it is equal."""

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from grading.classroom import Classroom
from grading.gradebook.autograded import as_written
from grading.quizzes.questions import STUB, Question
from grading.waiting import earlier_result

Read = TypeVar("Read")

MAX_FOLDED = 20_000  # characters that are compared; longer answers are equal if they are the same
_EMPHASIS = re.compile(r"(?<![\w)*])(?<![\d)] )(\*{1,3})(?=[^\s*])([^*\n]+)(?<=\S)\1(?![\w(*])")
_STARS_AT_AN_END = re.compile(r"^[ \t]*\*+|(?<!\*)\*+[ \t]*$", re.MULTILINE)  # of a line: there is nothing to multiply
_MARKS = re.compile(r"[_`]+")
_CHOICE = re.compile(r"\s*(\w)\)")  # c), as the first thing that is said
_MINUS = re.compile(r"−|[–—](?=\w|\s*(?:\(|\w\b))")  # what phones and word processors make of a minus
_DASH = re.compile("[–—]")
_HAS_FORMULA = re.compile(r"[0-9=+*/^<>-]|\w['\"”]*\(")
_PUNCTUATION = ".,;:?'\"‘“”«»…¡¿，。、；：？"
_WORDS = re.compile(rf"\d*(?:[.,:]\d+)+|\w+|[^\w\s()–—{_PUNCTUATION}]")
_WORDS_OF_FORMULAS = re.compile(rf"\d*(?:[.,:]\d+)+|\w+|(?<=\w)['\"”]+(?!\w)|[^\w\s{_PUNCTUATION}]")
# An exclamation mark behind a word. Behind a variable or a number it is a factorial, and variables beside each other
# are two letters at most.
_EXCLAMATION = r"\s*!+(?=[\s)\]}'\"’”».,;:?]|$)"
_EXCLAIMED = re.compile(rf"(?<=[^\W\d_]{{2}}){_EXCLAMATION}")
_EXCLAIMED_BESIDE_A_FORMULA = re.compile(rf"(?<=[^\W\d_]{{3}}){_EXCLAMATION}")


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
    text = unicodedata.normalize("NFC", answer).casefold().replace("’", "'").replace("！", "!")
    if choice := _CHOICE.match(text):
        text = f"{choice[1]} {text[choice.end() :]}"
    text = _STARS_AT_AN_END.sub(" ", _EMPHASIS.sub(r"\2", _MINUS.sub("-", text)))
    text = _MARKS.sub(_within_a_word, text)
    if _HAS_FORMULA.search(text):
        return " ".join(_WORDS_OF_FORMULAS.findall(_EXCLAIMED_BESIDE_A_FORMULA.sub(" ", _DASH.sub("-", text))))
    return " ".join(_WORDS.findall(_EXCLAIMED.sub(" ", text)))


def _within_a_word(marks: re.Match[str]) -> str:
    """Nothing of `c` and _c_, all of a_name."""
    text, (start, end) = marks.string, marks.span()
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    return marks[0] if before.isalnum() and after.isalnum() else " "


class Kept(Generic[Read]):
    """What `read` makes of files, each read again only when it has changed. It is called for those that are there."""

    def __init__(self, read: Callable[[Path], Read]):
        self._read = read
        self._kept: dict[Path, tuple[tuple[int, int], Read]] = {}

    def of(self, path: Path) -> Read | None:
        """None where there is no file."""
        try:
            stat = path.stat()
        except OSError:
            return None
        stamp = stat.st_mtime_ns, stat.st_size
        if path not in self._kept or self._kept[path][0] != stamp:
            self._kept[path] = stamp, self._read(path)
        return self._kept[path][1]


class Notebooks:
    """The quizzes in the graded notebooks of a class, and which of these stand for a file that could not be read."""

    def __init__(self, classroom: Classroom):
        self._classroom = classroom
        self._cells, self._unread = Kept(_quiz_cells), Kept(_could_not_be_read)

    def answer(self, student: str, question: Question) -> str:
        """What this student wrote under the question; "" where there is nothing."""
        cells = self._cells.of(self._classroom.autograded(student, question.assignment)) or {}
        return written_under(question, cells.get(question.cell, ""))

    def could_not_be_read(self, student: str, assignment: str) -> bool:
        """Whether the released notebook stands in the place of the student's file, which so has no answers."""
        return bool(self._unread.of(self._classroom.result(student, assignment)))

    def not_read(self, assignment: str) -> set[str]:
        """The students of whom that is so."""
        results = self._classroom.result("anyone", assignment).parent.glob("[!.]*.json")
        return {result.stem for result in results if self._unread.of(result)}


def _could_not_be_read(result: Path) -> bool:
    graded = earlier_result(result)
    return graded is not None and bool(graded.why_not_graded)


def _quiz_cells(path: Path) -> dict[str, str]:
    """{grade_id: source} of a notebook that we wrote, or `nbgrader autograde`, which writes lists of lines."""
    cells = json.loads(path.read_bytes())["cells"]
    marked = ((cell, cell["metadata"].get("nbgrader", {})) for cell in cells)
    return {of["grade_id"]: "".join(cell["source"]) for cell, of in marked if of.get("grade") and of.get("solution")}
