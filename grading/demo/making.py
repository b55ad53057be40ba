"""An invented class, whose submissions of lesson 01 are right, half right, mistaken, untouched, broken or hostile."""

import copy
import csv
import functools
import io
import itertools
import random
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grading.assignment import Assignment, Task, load_assignment
from grading.classroom import Classroom
from grading.demo.answers import mistaken_answers, own_words, right_answer
from grading.demo.faults import ATTACKS, BREAKAGES
from utils.files import write_whole
from utils.paths import NOTEBOOKS

NAME = "01_convolution"
IN_ANOTHER_STYLE = 0.3  # of the right answers
A_COMMON_MISTAKE = 0.15  # of the answers that could as well be right
QUIZ = "quiz_same_output_size"

# The mistakes that many make; the others come once each.
COMMON = {
    "output_size": ["no_first_window", "padding_counted_once"],
    "conv2d": ["bias_forgotten", "loops_one_short", "padding_ignored_by_windows"],
    "conv2d_unfold": ["reshaped_without_transpose", "square_output_assumed"],
    "parameter_counts": ["biases_left_out", "input_channels_left_out"],
    "max_pool2d": ["maximum_starts_at_zero"],
}
QUIZ_ANSWERS = [
    "**c**. The nine taps are spread over $d\\,(k-1)+1 = 5$ pixels a side; there are still nine of them.",
    "**c**, because `dilation` adds no weights and the padding makes up for the longer reach.",
    "**c** since\n\n$$\\left\\lfloor \\frac{n + 2 \\cdot 2 - 5}{1} \\right\\rfloor + 1 = n$$\n\nand the kernel is 3×3.",
    "**a**, there is more padding, so there is more output.",
    "**d**: the two cancel each other.",
]
FIRST_NAMES = (
    "Ada Bram Chiara Dmitri Elif Farid Grete Hana Ines Jun Kofi Lucía Mei Nils Olu Priya Quentin Rosa Søren Zoë"
)
LAST_NAMES = "Abe Bakker Çelik Díaz Eriksen Fofana Gupta Haddad Ito Jovanović Kim Lindqvist Müller Nowak O'Neill Petrov"
IN_OTHER_SCRIPTS = [("محمد", "الأحمد"), ("小雨", "王"), ("Ελένη", "Παππά"), ("שרה", "כהן")]


@dataclass(frozen=True)
class InventedStudent:
    """One of the class. `kind` says what was handed in; `answers` what each exercise got.

    An answer is "right", "untouched" or the name of a mistake. A broken or hostile submission has an empty `answers`.
    """

    id: str
    first_name: str
    last_name: str
    kind: str
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def email(self) -> str:
        return f"{self.id}@example.org"


def make_class(folder: Path, size: int = 60, seed: int = 0) -> list[InventedStudent]:
    """Make `release/`, `submitted/` and `roster.csv` in `folder`, as `grading.classroom` describes it.

    The same seed makes the same files. Among the first 60 students each named mistake of the lesson occurs that a
    student could have written.
    """
    classroom = Classroom(folder)
    released = NOTEBOOKS / f"{NAME}.ipynb"
    assignment = load_assignment(released)
    write_whole(classroom.released(NAME), released.read_bytes())
    rng = random.Random(seed)
    students, first_file = [], b""
    for number, (kind, nth) in zip(range(1, size + 1), itertools.cycle(_kinds()), strict=False):
        student = _invite(assignment, number, kind, nth, rng)
        file = first_file if kind == "copied" else _hand_in(assignment, student, nth, rng)
        write_whole(classroom.submitted(student.id, NAME), file)
        students.append(student)
        first_file = first_file or file
    write_whole(folder / "roster.csv", _roster(students))
    return students


def _kinds() -> list[tuple[str, int]]:
    """(kind, how many of its kind came before) of sixty students; the first of each kind come first."""
    counts = {"half right": 6, "copied": 1, "untouched": 2, "mistaken": _turns()}
    counts |= {f"broken: {name}": 1 for name in BREAKAGES} | {f"hostile: {name}": 1 for name in ATTACKS}
    counts = {"right": 60 - sum(counts.values())} | counts
    kinds = [(kind, nth) for kind, count in counts.items() for nth in range(count)]
    return sorted(kinds, key=lambda one: one[1] / counts[one[0]])


def _invite(assignment: Assignment, number: int, kind: str, nth: int, rng: random.Random) -> InventedStudent:
    first, last = rng.choice(FIRST_NAMES.split()), rng.choice(LAST_NAMES.split())
    if number % 13 == 0:
        first, last = IN_OTHER_SCRIPTS[number // 13 % len(IN_OTHER_SCRIPTS)]
    if kind == "hostile: script in the page":
        first, last = "<script>alert(1)</script>", "=1+1"
    return InventedStudent(f"s{number:04d}", first, last, kind, _answers(assignment, kind, nth, rng))


def _answers(assignment: Assignment, kind: str, nth: int, rng: random.Random) -> dict[str, str]:
    names = [task.answer for task in assignment.tasks]
    match kind:
        case "right" | "copied":
            return dict.fromkeys(names, "right")
        case "untouched":
            return dict.fromkeys(names, "untouched")
        case "half right":
            reached = 1 + nth % (len(names) - 1)
            stuck = {names[reached]: rng.choice(_common(names[reached]))}
            return dict.fromkeys(names, "untouched") | dict.fromkeys(names[:reached], "right") | stuck
        case "mistaken":
            return {task.answer: _mistake_or_right(assignment, task, nth, rng) for task in assignment.tasks}
    return {}


@functools.cache
def _mistakes() -> dict[str, dict[str, str]]:
    """{answer: {mistake: source of the answer cell}} of the lesson."""
    assignment = load_assignment(NOTEBOOKS / f"{NAME}.ipynb")
    return {task.answer: mistaken_answers(assignment, task) for task in assignment.tasks}


def _turns() -> int:
    """So many students make each mistake of each exercise once."""
    return max(map(len, _mistakes().values()))


def _mistake_or_right(assignment: Assignment, task: Task, nth: int, rng: random.Random) -> str:
    """The mistake whose turn it is. Where an exercise has few, some students make a common one or none in between."""
    turns, mistakes = _turns(), _mistakes()[task.answer]
    shift = 3 * assignment.tasks.index(task)  # or the first student would make every first mistake
    due = {(index * turns // len(mistakes) + shift) % turns: name for index, name in enumerate(mistakes)}
    otherwise = rng.choice(_common(task.answer)) if rng.random() < A_COMMON_MISTAKE else "right"
    return due.get(nth % turns, otherwise)


def _common(answer: str) -> list[str]:
    """The mistakes that many make; where none of these can be written, all."""
    written = _mistakes()[answer]
    return [name for name in COMMON.get(answer, ()) if name in written] or list(written)


def _hand_in(assignment: Assignment, student: InventedStudent, nth: int, rng: random.Random) -> bytes:
    """The bytes of the student's notebook file."""
    notebook = copy.deepcopy(assignment.notebook)
    cells = {cell.id: cell for cell in notebook.cells}
    for task in assignment.tasks:
        cell = cells[task.answer]
        cell.source = _source(cell.source, assignment, task, student.answers.get(task.answer, "right"), rng)
    if student.kind != "untouched":
        cells[QUIZ].source = cells[QUIZ].source.replace("*Your answer here.*", rng.choice(QUIZ_ANSWERS))
    if student.kind == "right" and nth % 3 == 0:
        _try_out(notebook)
    kind, _, which = student.kind.partition(": ")
    if kind == "hostile":
        ATTACKS[which](notebook)
    written = nbformat.writes(notebook).encode()
    return BREAKAGES[which](written) if kind == "broken" else written


def _source(stub: str, assignment: Assignment, task: Task, answer: str, rng: random.Random) -> str:
    if answer == "untouched":
        return stub
    if answer != "right":
        return _mistakes()[task.answer][answer]
    return own_words(right_answer(assignment, task, in_another_style=rng.random() < IN_ANOTHER_STYLE), rng)


def _try_out(notebook: NotebookNode) -> None:
    """A cell of the student's own after the second answer, as many write one."""
    place = next(index for index, cell in enumerate(notebook.cells) if cell.id == "conv2d") + 1
    source = "# does it work?\nprint(conv2d(torch.ones(1, 3, 3), torch.ones(1, 1, 2, 2), torch.zeros(1)))"
    notebook.cells.insert(place, nbformat.v4.new_code_cell(source, id="try-it-out"))


def _roster(students: list[InventedStudent]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "first_name", "last_name", "email"])
    writer.writerows([student.id, student.first_name, student.last_name, student.email] for student in students)
    return text.getvalue()
