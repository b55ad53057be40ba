"""Compare the submissions of a class with each other and with those of earlier years."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from grading.assignment import Assignment
from grading.exchange.content import is_solution
from grading.similarity.finding import Pair, clusters, handed_in_together, pairs, rare
from grading.similarity.known import known_grams
from grading.similarity.parts import Part, parts_of
from grading.similarity.works import File, Work, same_content
from grading.submission.parsing import Unreadable


@dataclass(frozen=True)
class Alike:
    """Two works, how alike they are, and the parts of each that have something rare in common."""

    one: Work
    other: Work
    pair: Pair
    parts: tuple[list[Part], list[Part]]

    @property
    def titles(self) -> list[str]:
        """What is alike: exercises, quizzes, own cells, in the order of the notebook."""
        return list(dict.fromkeys(part.title for side in self.parts for part in side))


@dataclass(frozen=True)
class Similarity:
    """What a comparison came to.

    Attributes:
        works: how many different files of the class were compared.
        earlier: how many of earlier years.
        rare: how many of them may have something for it to count.
        same_files: works that several students handed in, byte for byte.
        alike: pairs of different files, the most alike first.
    """

    works: int
    earlier: int
    rare: int
    same_files: list[Work]
    alike: list[Alike]

    @property
    def groups(self) -> list[list[Alike]]:
        """The pairs, by the groups of works that hang together."""
        places = {(one.pair.one, one.pair.other): one for one in self.alike}
        return [[one for pair, one in places.items() if pair[0] in group] for group in map(set, clusters(places))]


def compare(
    assignment: Assignment,
    files: Iterable[File],
    together: Mapping[str, Collection[str]],
    bar: Callable[[list[Work]], Iterable[Work]] = lambda works: works,
) -> Similarity:
    """Look for works that are alike beyond what the course and many of the class wrote.

    Args:
        assignment: what was asked for.
        files: those of this class and of earlier years.
        together: {student: all who handed in with them}; a group is no finding.
        bar: what the works are taken through while they are read.
    """
    known = known_grams(assignment)
    works, prints = [], []
    for work, own in _read(bar(same_content(files)), assignment, known):
        works.append(work)
        prints.append(own)
    apart = {place for place, work in enumerate(works) if not work.students}
    found = [
        pair for pair in pairs(prints, apart) if not _of_a_group(works[pair.one], works[pair.other], together=together)
    ]
    return Similarity(
        len(works) - len(apart),
        len(apart),
        rare(len(works)),
        [work for work in works if _was_passed_on(work, assignment, together)],
        list(_with_parts(found, works, assignment)),
    )


def _read(works: Iterable[Work], assignment: Assignment, known: set[int]) -> Iterator[tuple[Work, np.ndarray]]:
    """Each work in which something was answered, with its fingerprints. Their texts are read again where needed."""
    for work in works:
        try:
            parts = parts_of(work.read(), assignment)
        except Unreadable:
            continue
        if parts:
            own = {print_ for part in parts for print_ in part.prints} - known
            yield work, np.fromiter(own, np.int64, len(own))


def _was_passed_on(work: Work, assignment: Assignment, together: Mapping[str, Collection[str]]) -> bool:
    """Whether several handed in this very file, of whom one is of this class, and who are no group."""
    if len(work.files) == 1 or not work.students or _of_a_group(work, together=together):
        return False
    return not is_solution(work.read(), assignment.name)


def _of_a_group(*works: Work, together: Mapping[str, Collection[str]]) -> bool:
    files = [file for work in works for file in work.files]
    return all(file.student for file in files) and handed_in_together([file.student for file in files], together)


def _with_parts(found: list[Pair], works: list[Work], assignment: Assignment) -> Iterator[Alike]:
    places = {place for pair in found for place in (pair.one, pair.other)}
    parts = {place: parts_of(works[place].read(), assignment) for place in places}
    for pair in found:
        one, other = (
            [part for part in parts[place] if not pair.shared.isdisjoint(part.prints)]
            for place in (pair.one, pair.other)
        )
        yield Alike(works[pair.one], works[pair.other], pair, (one, other))
