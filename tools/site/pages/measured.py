"""What we measured: every claim of the course with its numbers, and the experiments that were recorded.

The claims are read from the outputs that solutions/ store, by the reader that `make course` uses. report/results.json
would say the same of another run: it is made anew on each machine and not kept, and then this page and the lesson that
it leads to could contradict each other.
"""

import ast
import json
import re
from collections.abc import Iterator
from itertools import groupby

from nbformat import NotebookNode

from tools.course_report import LessonResult
from tools.site.anchors import anchors
from tools.site.course import Course
from tools.site.notebooks import solution
from tools.site.text import plain, sentence
from utils.claims import shown, spoken

FIRST = "measured.md"
SHOWS: dict[str, str] = {}

INTRODUCTION = """---
tocdepth: 2
---

# What we measured

What the lessons say of networks, they measure. Here are all {claims} claims, lesson by lesson, each with the numbers
that it rests on. A heading leads to the place in the lesson, where the figure and the code are.

- ✓ holds, ✗ does not. A claim that does not hold where the lessons are run stops their build.
- Where a network was trained or drawn several times, you see the mean and the range over the seeds.
- Times are those of the processor, and a claim about speed is a ratio of two ways that were measured in turns.
- {machine}
- On another machine, `make course` measures all of it again and writes `report/results.json`.
"""

RECORDED = """## Recorded experiments

Some experiments take longer than a lesson may. Each was run once, on the machine below, and its lesson draws the
record; a claim that rests on one says so. The command makes the record again.

"""

VERSIONS = re.compile(r"Python \S+, torch \S+, running on \w+\.")
FIRST_SENTENCE = re.compile(r"\.(?=\s|$)")
NUMBER = re.compile(r"(\d+(?:\.\d+)?)")
EXPONENT = re.compile(r"e([+-])0*(\d+)")
RAISED = str.maketrans("+-0123456789", "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def pages(course: Course) -> dict[str, str | bytes]:
    """The one page."""
    notebooks = {one.stem: solution(course, one.stem) for one in course.outline.entries}
    results = {stem: _result(stem, notebook) for stem, notebook in notebooks.items()}
    claims = sum(len(result.claims) for result in results.values())
    parts = [INTRODUCTION.format(claims=claims, machine=_machine(list(notebooks.values())))]
    for entry in course.outline.entries:
        parts += _lesson(entry.stem, f"{entry.title}: {entry.question}", results[entry.stem], notebooks[entry.stem])
    parts += [RECORDED, *_experiments(course)]
    return {FIRST: "\n".join(parts)}


def _result(stem: str, notebook: NotebookNode) -> LessonResult:
    result = LessonResult(stem[:2], stem, 0, None)
    result.read_outputs(notebook)
    return result


def _machine(notebooks: list[NotebookNode]) -> str:
    """What the first cells have printed of the versions that ran: one sentence, or one for each that differs."""
    printed = (output.get("text", "") for one in notebooks for cell in one.cells for output in cell.get("outputs", []))
    said = sorted({found[0] for text in printed if (found := VERSIONS.search(text))})
    return "The runs that you see: " + " ".join(said)


def _lesson(stem: str, title: str, result: LessonResult, notebook: NotebookNode) -> Iterator[str]:
    page, place = f"/lessons/{stem}.ipynb", anchors(notebook)
    data = f" · data: {plain(result.data)}" if result.data else ""
    yield f"## {plain(title)}\n\n[Read the lesson]({page}){data}\n"
    for section, claims in groupby(result.claims, key=lambda one: one["section"]):
        yield f"### [{section}]({page}#{place[section]})\n"
        yield from (entry(one) for one in claims)


def entry(claim: dict) -> str:
    """A claim as the page shows it: its sentence, and its numbers below."""
    measured = sorted(claim["measured"].items(), key=lambda one: _naturally(spoken(one[0])))
    numbers = " ".join(_number(name, value, claim["unit"]) for name, value in measured)
    of = f" [on {plain(claim['of'].replace('_', ' '))}]{{.soft}}" if claim["of"] else ""
    return f"{'✓' if claim['holds'] else '✗ does not hold:'} {sentence(claim['text'])}{of}\n: {numbers}\n"


def _naturally(name: str) -> list[str | float]:
    """A key by which "after 2 s" comes before "after 128 s": a notebook's file has its names by the alphabet."""
    return [float(part) if part[:1].isdigit() else part for part in NUMBER.split(name)]


def _number(name: str, value: float | int | str | list, unit: str) -> str:
    """One measured value with its name; the mean of several stands out from their range."""
    said = EXPONENT.sub(lambda found: f" × 10{(found[1] + found[2]).lstrip('+').translate(RAISED)}", shown(value, unit))
    most, bracket, spread = said.partition(" (")
    return f"[{plain(spoken(name))} **{plain(most)}**{plain(bracket + spread)}]{{.measured}}"


def _experiments(course: Course) -> Iterator[str]:
    """For each record: what was done, by which command, where, and which lessons draw it."""
    lessons = {one: course.read(f"lessons/{one.stem}.py") for one in course.outline.entries}
    for file in sorted((course.root / "docs/recorded").glob("*.json")):
        record = json.loads(file.read_text(encoding="utf-8"))
        recorder = record["command"].split()[2]
        title, text = _said_by(course.read(f"{recorder.replace('.', '/')}.py"))
        drawn = [f"[{one.title}](/lessons/{one.stem}.ipynb)" for one, code in lessons.items() if file.name in code]
        stored = f"[docs/recorded/{file.name}]({course.repository.address}/blob/main/docs/recorded/{file.name})"
        yield f"### {sentence(title)}\n\n{text}\n"
        yield f"- Command: `{record['command']}`\n- Machine: {plain(record['machine'])}\n- Numbers: {stored}"
        yield f"- Drawn by: {', '.join(drawn)}\n" if drawn else ""


def _said_by(source: str) -> tuple[str, str]:
    """Title and text of a recorder, from its docstring: without the command and without the file that it writes."""
    said = re.sub(r"^`python -m [^`]+`: ", "", ast.get_docstring(ast.parse(source)) or "")
    said = re.sub(r", to docs/recorded/\S+\.json", "", said)
    said = re.sub(r"\s*Writes \S+?(?:, which[^.]*)?\.?(?=\s|$)", "", said)
    title, text = FIRST_SENTENCE.split(said, maxsplit=1)
    title = " ".join(title.split())
    return title[:1].upper() + title[1:], text.strip()
