"""The page of submissions that are alike: a list to look at, with both texts side by side."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from grading.assignment import Assignment
from grading.pages.render import render
from grading.similarity.comparing import Alike, Similarity
from grading.similarity.parts import Part
from grading.untrusted.html import highlighted

SIDE_BY_SIDE = 50  # pairs whose texts are shown; the others are in the list alone
AROUND = 3  # lines shown above and below what is alike
FEW_WORKS = 20  # in so small a class, rare means little


@dataclass(frozen=True)
class Line:
    """A line of a cell as HTML; `alike`: it has something in common with the other side."""

    html: Markup
    alike: bool


@dataclass(frozen=True)
class Text:
    """The lines of a cell that are shown, which of all its lines the first of them is, and whether it is code."""

    lines: list[Line]
    first: int
    total: int
    is_code: bool


@dataclass(frozen=True)
class Exercise:
    """What the two wrote for one exercise, as far as it is alike; a side may be empty where they wrote it elsewhere."""

    title: str
    sides: tuple[list[Text], list[Text]]


@dataclass(frozen=True)
class Row:
    """A pair. Its number is 0, and `exercises` are empty, where its texts are not shown."""

    alike: Alike
    number: int
    exercises: list[Exercise]


@dataclass(frozen=True)
class Group:
    """Works that hang together, as they are called, and the pairs among them."""

    labels: list[str]
    rows: list[Row]


def similar_page(found: Similarity, assignment: Assignment, names: Mapping[str, str] | None = None) -> str:
    """One HTML page on what is alike in a class.

    Args:
        found: what `grading.similarity.comparing.compare` came to.
        assignment: what was asked for.
        names: {student: name}, to show beside the id.
    """
    return render(
        "similar.html",
        unsafe=False,  # nothing of a submission was run
        title=assignment.title,
        found=found,
        names=names or {},
        few=found.works + found.earlier < FEW_WORKS,
        groups=_groups(found, assignment),
        left_out=max(len(found.alike) - SIDE_BY_SIDE, 0),
    )


def _groups(found: Similarity, assignment: Assignment) -> list[Group]:
    numbers = {(alike.one, alike.other): number for number, alike in enumerate(found.alike[:SIDE_BY_SIDE], 1)}
    groups = []
    for pairs in found.groups:
        works = dict.fromkeys(work for alike in pairs for work in (alike.one, alike.other))
        rows = []
        for alike in pairs:
            number = numbers.get((alike.one, alike.other), 0)
            rows.append(Row(alike, number, _exercises(alike, assignment) if number else []))
        groups.append(Group([label for work in works for label in work.labels], rows))
    return groups


def _exercises(alike: Alike, assignment: Assignment) -> list[Exercise]:
    order = {title: place for place, title in enumerate(assignment.exercise_titles.values())}
    titles = sorted(alike.titles, key=lambda title: order.get(title, len(order)))
    one, other = alike.parts
    return [Exercise(title, (_texts(title, one, alike), _texts(title, other, alike))) for title in titles]


def _texts(title: str, parts: list[Part], alike: Alike) -> list[Text]:
    return [_text(part, alike) for part in parts if part.title == title]


def _text(part: Part, alike: Alike) -> Text:
    marked = {line for print_, lines in part.prints.items() if print_ in alike.pair.shared for line in lines}
    html = highlighted(part.source) if part.is_code else escape(part.source)
    lines = [Line(line, number in marked) for number, line in enumerate(html.rstrip().split("\n"), 1)]
    first = max(min(marked) - AROUND, 1)
    return Text(lines[first - 1 : max(marked) + AROUND], first, len(lines), part.is_code)
