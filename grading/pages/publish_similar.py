"""Compare a class's submissions, and write the page of those that are alike."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from grading.assignment import Assignment
from grading.classroom import Classroom
from grading.exchange.archives import Found
from grading.exchange.roster import kept
from grading.pages.similar import similar_page
from grading.receipt import Receipt
from grading.similarity.comparing import Similarity, compare
from grading.similarity.works import Work, of_class, of_earlier
from utils.files import write_whole


def publish_similar(
    classroom: Classroom,
    assignment: Assignment,
    earlier: Sequence[Found] = (),
    bar: Callable[[list[Work]], Iterable[Work]] = lambda works: works,
) -> tuple[Similarity, Path]:
    """Compare the submissions, write the page of those that are alike, and return both.

    Args:
        classroom: the class's folder.
        assignment: what was asked for.
        earlier: the files of an earlier year, of which the notebooks of this assignment count.
        bar: what the works are taken through while they are read.
    """
    receipts = {
        one: Receipt.read(classroom.receipt(one, assignment.name)) for one in classroom.students(assignment.name)
    }
    together = {student: receipt.members for student, receipt in receipts.items() if receipt}
    files = [*of_class(classroom, assignment), *of_earlier(earlier, assignment)]
    found = compare(assignment, files, together, bar)
    path, roster = classroom.similar(assignment.name), kept(classroom)
    names = {one.id: one.name for one in roster.students if one.name} if roster else {}
    write_whole(path, similar_page(found, assignment, names))
    return found, path
