"""Feedback in the zip that a platform takes back: a page under the name of what each student handed in."""

import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from grading.classroom import Classroom
from grading.exchange import readers
from grading.exchange.archives import Found
from grading.exchange.folding import letters
from grading.exchange.people import Student
from grading.handing_back.pages import Page, pages_of
from grading.problems import GradingError
from utils.files import whole_file

THE_SAME_BYTES = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold


@dataclass
class Packed:
    """What a zip came to.

    Attributes:
        path: the zip.
        platform: the reader of the platform that takes it.
        written: how many pages are in it.
        with_group: whose group has a page in it, under the name of another member.
        left_out: whose page is not in it, since nothing says what the platform calls them.
    """

    path: Path
    platform: str
    written: int = 0
    with_group: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def pack(
    classroom: Classroom, assignment: str, people: Mapping[str, Student], path: Path, platform: str = ""
) -> Packed:
    """Write the zip for one assignment.

    The names are those under which the platform exported the submissions, as the receipts have them. Only what was
    collected as that platform's export counts: in any other, a student chooses the whole name, and could choose a
    number of somebody else.

    Args:
        classroom: the class's folder.
        assignment: which one.
        people: {folder: student} of all who are known.
        path: where to; replaced as a whole.
        platform: the reader of the platform, as "moodle"; the one that most submissions came from if "".

    Raises GradingError if the platform takes no feedback in a zip, nobody's submission came from it, or the feedback is
    not written.
    """
    pages = pages_of(classroom, assignment, people)
    platform = _platform(classroom, pages, assignment, platform)
    named, left_out = _named(pages, assignment, platform)
    packed = Packed(path, platform, left_out=[page.student.school_id for page in left_out])
    with whole_file(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, members in sorted(named.items()):
            page = members[0] if len(members) == 1 else _whose(members, assignment, platform)
            packed.with_group += [one.student.school_id for one in members if one is not page]
            info = zipfile.ZipInfo(str(name), THE_SAME_BYTES)
            info.external_attr = 0o644 << 16
            archive.writestr(info, page.path.read_bytes(), zipfile.ZIP_DEFLATED)
            packed.written += 1
    return packed


def _platform(classroom: Classroom, pages: Sequence[Page], assignment: str, wanted: str) -> str:
    instead = classroom.command("publish", "pages")
    if wanted and wanted not in readers.names():
        raise GradingError(f"There is no platform {wanted!r}. There are: {', '.join(_taking_back())}.")
    came = Counter(page.receipt.reader for page in pages if page.receipt)
    able = [name for name, _ in came.most_common() if name in readers.names() and readers.takes_back(name)]
    if wanted and not readers.takes_back(wanted):
        raise GradingError(
            f"{wanted} takes no feedback in a zip, as far as is known. Those that do: {', '.join(_taking_back())}. "
            f"Write pages to mail or serve instead: {instead}"
        )
    if not able or (wanted and wanted not in able):
        raise GradingError(
            f"No submission of {assignment} was collected as an export of {wanted or ', '.join(_taking_back())}, so "
            "nothing says what the platform calls the students. Collect what it exports, or write pages to mail or "
            f"serve: {instead}"
        )
    return wanted or able[0]


def _taking_back() -> list[str]:
    return [name for name in readers.names() if readers.takes_back(name)]


def _named(pages: Sequence[Page], assignment: str, platform: str) -> tuple[dict[PurePosixPath, list[Page]], list[Page]]:
    """{name in the zip: pages of those who handed it in}, and the pages without a name.

    A name that belongs to two who did not hand in together is nobody's.
    """
    named: dict[PurePosixPath, list[Page]] = {}
    left_out = []
    for page in pages:
        file = _exported(page, platform)
        name = readers.goes_back(platform, file, f"{assignment}.html") if file else None
        if name and not name.is_absolute() and ".." not in name.parts:
            named.setdefault(name, []).append(page)
        else:
            left_out.append(page)
    for name, members in list(named.items()):
        if len(members) > 1 and not all(_is_of_the_group(page, members) for page in members):
            left_out += named.pop(name)
    return named, left_out


def _exported(page: Page, platform: str) -> PurePosixPath | None:
    """The name in this platform's export. In an older receipt stands one to be shown, which may have been cut."""
    receipt = page.receipt
    if receipt is None or receipt.reader != platform:
        return None
    is_whole = " … " not in receipt.file and "\N{REPLACEMENT CHARACTER}" not in receipt.file
    name = receipt.exported or (receipt.file if is_whole else "")
    return PurePosixPath(name) if name.isprintable() and name else None  # what is no UTF-8 is no name in a zip


def _is_of_the_group(page: Page, members: Sequence[Page]) -> bool:
    return page.receipt is not None and {one.student.id for one in members} <= set(page.receipt.members)


def _whose(members: Sequence[Page], assignment: str, platform: str) -> Page:
    """Of a group that handed in one file, the member whom its name names; else the first."""
    file = Found(_exported(members[0], platform) or PurePosixPath(), None, bytes)
    said = readers.read([file], [assignment], platform)[1][file.name]
    for page in members:
        for person in said.people if said else ():
            number = page.student.known_as.get(person.kind) if person.number else None
            if number == person.number != "" or page.student.names.intersection(map(letters, person.names)):
                return page
    return members[0]
