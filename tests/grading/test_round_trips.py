"""The whole way with nothing but what a platform exports: its list, its zip of submissions, its file for the scores."""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

from grading.exchange.collecting import collect
from grading.exchange.roster import kept
from grading.gradebook.book import Book
from grading.gradebook.exporting import export, person
from grading.handing_back.packing import pack
from grading.pages.publish import publish_feedback
from tests.grading.exports import zipped
from tests.grading.school import NAME, RIGHT, School

FILE = f"{NAME}.ipynb"
HANDED_IN = "assignsubmission_file"


@dataclass(frozen=True)
class Platform:
    """Its list of two people, with a place for the score of each; what it calls their files; its encoding."""

    listed: str
    files: tuple[str, str]
    encoding: str = "utf-8"
    taken_back: tuple[str, ...] = ()
    more: dict[str, str] = field(default_factory=dict)

    def table(self, first: str = "", second: str = "") -> bytes:
        return self.listed.format(first, second).encode(self.encoding)


PLATFORMS = {
    "canvas": Platform(
        f"Student,ID,SIS User ID,SIS Login ID,Section,{NAME} (4711)\r\n    Points Possible,,,,,2\r\n"
        '"Nowak, Mei",1000,u77,mnowak,DL,{}\r\n"Haddad, Grete",1001,u78,ghaddad,DL,{}\r\n"Student, Test",9,,f0,DL,\r\n',
        (f"nowakmei_1000_50001_{FILE}", f"haddadgrete_LATE_1001_50002_{NAME}-1.ipynb"),
        taken_back=(f"haddadgrete_LATE_1001_50002_{NAME}.html", f"nowakmei_1000_50001_{NAME}.html"),
    ),
    "moodle": Platform(  # two people of one name, whom the worksheet's numbers tell apart
        "\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments\n"
        'Participant 7001,Mei Nowak,mei@example.org,Submitted for grading,{},2.00,"well\ndone"\n'
        "Participant 7002,Mei Nowak,nowak@example.org,Submitted for grading,{},2.00,\n",
        (f"Mei Nowak_7001_{HANDED_IN}/{FILE}", f"Mei Nowak_7002_{HANDED_IN}/{FILE}"),
        taken_back=(f"Mei Nowak_7001_{HANDED_IN}/{NAME}.html", f"Mei Nowak_7002_{HANDED_IN}/{NAME}.html"),
    ),
    "brightspace": Platform(
        f"OrgDefinedId,Username,Last Name,First Name,Email,{NAME} Points Grade <Numeric MaxPoints:2 Weight:10>,"
        "End-of-Line Indicator\r\n#00123,#mnowak,Nowak,Mei,mei@example.org,{},#\r\n"
        "#00124,#ghaddad,Haddad,Grete,grete@example.org,{},#\r\n",
        (f"1-9 - Mei Nowak - Sep 24, 2024 926 PM/{FILE}", f"2-9 - Grete Haddad - Sep 25, 2024 926 AM/{FILE}"),
        taken_back=(
            f"1-9 - Mei Nowak - Sep 24, 2024 926 PM/{NAME}.html",
            f"2-9 - Grete Haddad - Sep 25, 2024 926 AM/{NAME}.html",
        ),
    ),
    "blackboard": Platform(
        '\ufeff"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Availability"\t'
        f'"{NAME} [Total Pts: 2 Score] |12"\n'
        '"Nowak"\t"Mei"\t"mnowak"\t"00123"\t"Yes"\t"{}"\n"Haddad"\t"Grete"\t"ghaddad"\t"00124"\t"Yes"\t"{}"\n',
        (
            f"gradebook_DL-101_Lab_mnowak_attempt_2024-09-24-21-26-00_{FILE}",
            f"gradebook_DL-101_Lab_ghaddad_attempt_2024-09-24-21-26-00_{FILE}",
        ),
        encoding="utf-16-le",
    ),
    "gradescope": Platform(
        f"First Name,Last Name,SID,Email,Sections,{NAME},{NAME} - Max Points,Total Lateness (H:M:S)\n"
        "Mei,Nowak,00123,mei@example.org,,{},2.0,00:00:00\nGrete,Haddad,00124,grete@example.org,,{},2.0,00:00:00\n",
        (f"assignment_1_export/submission_90/{FILE}", f"assignment_1_export/submission_91/{FILE}"),
        more={
            "assignment_1_export/submission_metadata.yml": "submission_90:\n  :submitters:\n"
            "  - :name: Mei Nowak\n    :sid: '00123'\n    :email: mei@example.org\n"
            "submission_91:\n  :submitters:\n  - :name: Grete Haddad\n    :sid: '00124'\n"
        },
    ),
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_from_a_platforms_list_and_zip_to_its_scores_and_feedback(tmp_path, name):
    platform, school = PLATFORMS[name], School(tmp_path / "class")
    (tmp_path / "list.csv").write_bytes(platform.table())
    answers = {file: nbformat.writes(school.notebook(RIGHT, quiz=file)) for file in platform.files}
    (tmp_path / "export.zip").write_bytes(zipped(answers | platform.more))
    collected = collect(tmp_path / "export.zip", school.classroom, NAME, tmp_path / "list.csv")
    assert (collected.reader, collected.not_placed) == (name, [])
    students = {placed.file: placed.student for placed in collected.placed}

    with Book(school.classroom) as book:
        book.register(school.assignment)
        for file, passed in zip(platform.files, (True, False), strict=True):
            graded = school.graded(students[file], passed)
            graded.write(school.classroom.result(graded.student, NAME))
            book.record(graded, school.notebook(RIGHT))
        roster = kept(school.classroom)
        people = {score.student: person(score, roster) for score in book.scores(NAME)}
        files = {"path": tmp_path / "filled.csv", "template": tmp_path / "list.csv"}
        done = export(book, [school.assignment], **files, roster=roster)
    assert done.path.read_bytes() == platform.table("1", "0")
    assert done.written == 2 and not done.not_in_template and not done.other_points

    assert list(publish_feedback(school.classroom, school.assignment))
    if platform.taken_back:
        assert pack(school.classroom, NAME, people, tmp_path / "feedback.zip").platform == name
        assert _contents(tmp_path / "feedback.zip") == {
            back: school.classroom.feedback(students[file], NAME).read_bytes()
            for back, file in zip(platform.taken_back, sorted(platform.files), strict=True)
        }


def _contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
