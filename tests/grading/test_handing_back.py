"""Feedback reaches the right student: under the names of the platform's own export, or under names nobody can guess."""

import csv
import os
import re
import secrets
import stat
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

import nbformat
import pytest

from grading.classroom import Classroom
from grading.exchange.collecting import collect
from grading.exchange.people import Roster, Student
from grading.exchange.roster import keep, kept
from grading.gradebook.book import Book
from grading.handing_back import packing
from grading.handing_back.packing import Packed, pack
from grading.handing_back.pages import Page, pages_of
from grading.handing_back.publishing import name_of, publish
from grading.pages.publish import publish_feedback
from grading.problems import GradingError
from grading.receipt import Receipt
from tests.grading.exports import zipped
from tests.grading.school import NAME, RIGHT, School
from utils.files import write_once

FILE = f"{NAME}.ipynb"
ZOE = "UNI-zoe"  # her folder; the school calls her UNI\\zoe
FOLDER = "assignsubmission_file"
CLASS = Roster(
    (
        Student("s1", "s1", "Mei", "Nowak", "mei@example.org", known_as={"canvas_id": "1000", "participant": "7000"}),
        Student("s2", "s2", "Grete", "Haddad", "grete@example.org", known_as={"canvas_id": "1001"}),
        Student(ZOE, "UNI\\zoe", "Zoë", "Müller", group="Team X", known_as={"canvas_id": "1002"}),
        Student("s4", "s4", "=Omar", "de la Cruz", "omar@example.org", "Team X", known_as={"canvas_id": "1003"}),
    )
)
PEOPLE = {student.id: student for student in CLASS.students}
DOWNLOADS = {  # {platform: names in its export, of s1, s2 and Zoë}
    "moodle": (
        f"Mei Nowak_7000_{FOLDER}_/{FILE}",
        f"Group A-Grete Haddad_7001_{FOLDER}_/my work/{FILE}",
        f"Zoë Müller_7002_{FOLDER}/{FILE}",  # since Moodle 4.1
    ),
    "canvas": (
        f"nowakmei_1000_50001_{FILE}",
        f"haddadgrete_LATE_1001_50002_{NAME}-1.ipynb",
        f"müllerzoë_1002_50003_2_3_my_{FILE}",
    ),
    "brightspace": (
        f"12345-67890 - Mei Nowak - Sep 24, 2024 926 PM/{FILE}",
        f"12346-67890 - Grete Haddad - Sep 25, 2024 926 AM/{FILE}",
        f"12347-67890 - Zoë Müller - Sep 25, 2024 930 AM/{FILE}",
    ),
    "ilias": (
        f"Nowak_Mei_mnowak_12345/20240924212600_{FILE}",
        f"Haddad_Grete_grete_h_12346/{FILE}",
        f"Team 4711/Mueller_Zoe_zoe_12347/{FILE}",
    ),
}


class Evening:
    """A class that is collected and graded by made-up results, and whose feedback is written."""

    def __init__(self, root: Path):
        self.root, self.school = root, School(root / "class")
        self.classroom: Classroom = self.school.classroom
        keep(CLASS, self.classroom)

    def collect(self, *names: str, reader: str = "") -> None:
        content = self.school.notebook(RIGHT)
        for number, name in enumerate(names):  # different files, which are no copies of one another
            content.cells[-1].source = f"answer {number}"
            (self.root / "export").mkdir(exist_ok=True)
            path = self.root / "export" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_text(content), encoding="utf-8")
        collected = collect(self.root / "export", self.classroom, reader=reader)
        assert not collected.not_placed

    def grade(self) -> None:
        for student in self.classroom.students(NAME):
            self.school.graded(student, passed=True).write(self.classroom.result(student, NAME))
        names = {student.id: student.name for student in CLASS.students}
        assert list(publish_feedback(self.classroom, self.school.assignment, names))

    def pack(self, platform: str = "") -> Packed:
        return pack(self.classroom, NAME, PEOPLE, self.root / "feedback.zip", platform)

    def packed_pages(self) -> dict[str, str]:
        with zipfile.ZipFile(self.root / "feedback.zip") as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}


def _text(notebook) -> str:
    return nbformat.writes(notebook)


@pytest.fixture
def evening(tmp_path) -> Evening:
    return Evening(tmp_path)


def whom_moodle_reads(name: str) -> str:
    """As `assignfeedback_file_zip_importer` reads a path: the first part of at least four that has a number."""
    for part in name.split("/"):
        words = part.split("_", 4)
        if len(words) >= 4 and words[1].isdigit() and (words[2], words[3]) == ("assignsubmission", "file"):
            return words[1]
    return ""


def whom_canvas_reads(name: str) -> tuple[str, ...]:
    """As `infer_comment_context_from_filename` reads it: the first two parts that are numbers."""
    words = [word for word in PurePosixPath(name).name.split("_") if word != "LATE"]
    return () if words[-1].startswith("link") else tuple([word for word in words if re.fullmatch(r"\d+", word)][:2])


def whom_brightspace_reads(name: str) -> str:
    return name.split("/")[0]


def whom_ilias_reads(name: str) -> str:
    """In the folder multi_feedback…, the number at the end of a folder; of a download, wherever it lies."""
    folders = [part for part in name.split("/")[:-1] if not part.startswith(("multi_feedback", "Team"))]
    return folders[0].rpartition("_")[2]


WHOM = {
    "moodle": whom_moodle_reads,
    "canvas": whom_canvas_reads,
    "brightspace": whom_brightspace_reads,
    "ilias": whom_ilias_reads,
}


@pytest.mark.parametrize("platform", DOWNLOADS)
def test_each_page_goes_to_whom_the_platform_named(evening, platform):
    evening.collect(*DOWNLOADS[platform])
    evening.grade()
    packed = evening.pack()
    assert (packed.platform, packed.written, packed.with_group, packed.left_out) == (platform, 3, [], [])
    whose = {WHOM[platform](name): page for name, page in evening.packed_pages().items()}
    for name, student in zip(DOWNLOADS[platform], ("s1", "s2", ZOE), strict=True):
        page = evening.classroom.feedback(student, NAME).read_text(encoding="utf-8")
        assert whose[WHOM[platform](name)] == page
        others = {one.name for one in CLASS.students if one.id != student}
        assert not any(other in page for other in others) and str(evening.root) not in page


def test_the_names_are_those_of_the_download(evening):
    evening.collect(*DOWNLOADS["moodle"])
    evening.grade()
    evening.pack("moodle")
    first = (evening.root / "feedback.zip").read_bytes()
    names = [f"Group A-Grete Haddad_7001_{FOLDER}_", f"Mei Nowak_7000_{FOLDER}_", f"Zoë Müller_7002_{FOLDER}"]
    assert list(evening.packed_pages()) == [f"{name}/{NAME}.html" for name in names]
    evening.pack("moodle")
    assert (evening.root / "feedback.zip").read_bytes() == first


def test_what_a_student_calls_a_file_moves_nobodys_page(evening):
    """A name in a student's own zip, or behind the platform's, may look like that of somebody else's submission."""
    content = _text(evening.school.notebook(RIGHT)).encode()
    inner = zipped({f"haddadgrete_1001_50002_{FILE}": content})
    (evening.root / "export").mkdir()
    (evening.root / "export" / "nowakmei_1000_50001_1001_50002_work.zip").write_bytes(inner)
    evening.collect(f"müllerzoë_1002_50003_haddadgrete_1001_50002_{FILE}")
    evening.grade()
    assert evening.pack().written == 2
    numbers = {whom_canvas_reads(name) for name in evening.packed_pages()}
    assert numbers == {("1000", "50001"), ("1002", "50003")}


def test_only_what_came_from_the_platform_has_a_name_of_it(evening):
    """In a plain folder a student chooses the whole name, and with it any number."""
    evening.collect(f"s1_{FILE}", reader="plain")
    path = evening.classroom.receipt("s1", NAME)
    Receipt(f"Grete Haddad_7001_{FOLDER}_/{FILE}", "plain").write(path)
    evening.grade()
    with pytest.raises(GradingError, match="No submission of 01_convolution was collected as an export of moodle"):
        evening.pack("moodle")
    assert not (evening.root / "feedback.zip").exists()


def test_who_came_in_another_way_is_named(evening):
    evening.collect(*DOWNLOADS["moodle"][:2])
    evening.school.hand_in(ZOE, evening.school.notebook(RIGHT))
    evening.grade()
    packed = evening.pack()
    assert (packed.written, packed.left_out) == (2, ["UNI\\zoe"])


def test_a_group_has_one_page_on_canvas_under_the_name_that_canvas_gave(evening):
    evening.collect(f"teamx_1003_50004_{FILE}")
    evening.grade()
    packed = evening.pack()
    assert (packed.written, packed.with_group) == (1, ["UNI\\zoe"])
    ((name, page),) = evening.packed_pages().items()
    assert whom_canvas_reads(name) == ("1003", "50004")
    assert page == evening.classroom.feedback("s4", NAME).read_text(encoding="utf-8")
    assert "Zoë Müller" in page and "Mei Nowak" not in page  # members see one another


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        ("blackboard", "takes no feedback in a zip.*moodle, brightspace, canvas, ilias.*reach-grade publish"),
        ("sakai", "There is no platform 'sakai'"),
        ("canvas", "No submission .* collected as an export of canvas"),
    ],
)
def test_a_platform_that_takes_nothing_back(evening, platform, message):
    evening.collect(*DOWNLOADS["moodle"])
    evening.grade()
    with pytest.raises(GradingError, match=message):
        evening.pack(platform)


def test_nobody_is_left_out_because_a_page_is_missing(evening):
    evening.collect(*DOWNLOADS["moodle"])
    with pytest.raises(GradingError, match="Nobody's 01_convolution is graded"):
        evening.pack()
    evening.grade()
    evening.classroom.feedback(ZOE, NAME).unlink()
    with pytest.raises(GradingError, match=r"no feedback on 01_convolution for UNI\\zoe"):
        pages_of(evening.classroom, NAME, PEOPLE)


@pytest.fixture
def graded(evening) -> Evening:
    evening.collect(*DOWNLOADS["canvas"], f"delacruz_1003_50009_{FILE}")
    evening.grade()
    return evening


def mail(evening: Evening) -> dict[str, dict]:
    with evening.classroom.mail.open(newline="", encoding="utf-8") as stream:
        return {row["student"]: row for row in csv.DictReader(stream)}


def test_a_folder_to_mail_or_serve(graded):
    pages, out = pages_of(graded.classroom, NAME, PEOPLE), graded.root / "out"
    done = publish(graded.classroom, pages, out, "https://example.org/feedback")
    assert done.written == 4 and done.without_address == ["UNI\\zoe"]
    rows = mail(graded)
    assert set(rows) == {"s1", "s2", "UNI\\zoe", "s4"}
    assert rows["s4"]["first_name"] == "'=Omar"
    for student, folder in (("s1", "s1"), ("UNI\\zoe", ZOE)):
        path = Path(rows[student]["file"])
        assert path.parent == out and rows[student]["link"] == f"https://example.org/feedback/{path.name}"
        assert path.read_bytes() == graded.classroom.feedback(folder, NAME).read_bytes()
    names = {path.name for path in out.iterdir()} - {"index.html"}
    assert len(names) == 4 and all(re.fullmatch(r"01_convolution-[a-z2-7]{32}\.html", name) for name in names)
    front = (out / "index.html").read_text(encoding="utf-8")
    assert not any(name in front for name in names)
    assert 'content="noindex"' in front and 'name="robots" content="noindex"' in path.read_text(encoding="utf-8")


def test_names_stay_and_nobody_can_tell_them(graded, tmp_path):
    pages, out = pages_of(graded.classroom, NAME, PEOPLE), graded.root / "out"
    publish(graded.classroom, pages, out)
    first = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert mail(graded)["s1"]["link"] == ""
    publish(graded.classroom, pages, out)  # the same again is not written
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == first
    assert stat.S_IMODE(graded.classroom.pages_key.stat().st_mode) == 0o600
    key = bytes.fromhex(graded.classroom.pages_key.read_text())
    assert name_of(pages[0], key) in first and name_of(pages[0], bytes(32)) not in first
    graded.classroom.pages_key.unlink()
    publish(graded.classroom, pages, tmp_path / "other")
    assert not {path.name for path in (tmp_path / "other").iterdir()} & (set(first) - {"index.html"})


@pytest.mark.parametrize("where", ["class", "export", "class/feedback"])
def test_a_folder_with_anything_else_in_it_is_refused(graded, where):
    pages = pages_of(graded.classroom, NAME, PEOPLE)
    before = sorted((graded.root / where).rglob("*"))
    with pytest.raises(GradingError, match="holds other files"):
        publish(graded.classroom, pages, graded.root / where)
    assert sorted((graded.root / where).rglob("*")) == before


@pytest.mark.parametrize("address", ["example.org/x", "ftp://example.org", "https://", "https://example.org/?a=", "x"])
def test_an_address_that_is_none(graded, address):
    with pytest.raises(GradingError, match="is no address of a folder"):
        publish(graded.classroom, pages_of(graded.classroom, NAME, PEOPLE), graded.root / "out", address)
    assert not (graded.root / "out").exists()


def test_two_runs_at_once_make_one_key(graded, tmp_path, monkeypatch):
    """The second comes just when the first has drawn its key."""
    draw, pages = secrets.token_hex, pages_of(graded.classroom, NAME, PEOPLE)

    def draw_late(length: int) -> str:
        monkeypatch.undo()
        key = draw(length)
        publish(graded.classroom, pages, tmp_path / "second")
        return key

    monkeypatch.setattr(secrets, "token_hex", draw_late)
    publish(graded.classroom, pages, tmp_path / "first")
    names = [sorted(path.name for path in (tmp_path / folder).iterdir()) for folder in ("first", "second")]
    assert names[0] == names[1] and len(names[0]) == 1 + len(pages)
    assert not list(graded.root.glob("class/.*key*"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in (graded.classroom.pages_key, graded.classroom.mail)} == {
        0o600
    }


@pytest.mark.parametrize("links", [True, False])
def test_of_many_who_make_a_file_once_one_does(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", refuse_links)
    with ThreadPoolExecutor(16) as several:
        made = list(several.map(lambda number: write_once(tmp_path / "a/b", str(number)), range(64)))
    assert sum(made) == 1 and (tmp_path / "a/b").read_text() == str(made.index(True))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def refuse_links(*_):
    raise OSError("no links on this disk")


def test_a_key_that_is_damaged(graded):
    graded.classroom.pages_key.write_text("half")
    with pytest.raises(GradingError, match=r"pages\.key is damaged"):
        publish(graded.classroom, pages_of(graded.classroom, NAME, PEOPLE), graded.root / "out")


def test_the_commands(evening, reach_grade):
    evening.collect(*DOWNLOADS["canvas"])
    with Book(evening.classroom) as book:
        book.enrol_class(kept(evening.classroom) or CLASS)
        book.register(evening.school.assignment)
        for student in ("s1", "s2", ZOE):
            book.record(evening.school.graded(student, passed=True), evening.school.notebook(RIGHT))
    evening.classroom.batch(NAME).parent.mkdir(exist_ok=True)
    evening.classroom.batch(NAME).write_text("{}")
    for student in ("s1", "s2", ZOE):
        evening.school.graded(student, passed=True).write(evening.classroom.result(student, NAME))
    said = reach_grade("pack", "feedback.zip", "--class", "class")
    assert "3 pages for canvas in feedback.zip" in said and "Canvas will call each page as the submission" in said
    said = reach_grade("publish", "out", "--class", "class", "--base-url", "https://example.org/f/")
    assert "3 pages in out" in said and "mail.csv" in said and "no e-mail address is known (1): UNI\\zoe" in said
    assert mail(evening)["s1"]["email"] == "mei@example.org"
    assert "holds other files" in reach_grade("publish", "class", "--class", "class", fails=True)


def test_a_page_is_named_by_the_export_and_not_by_a_name_that_was_cut(tmp_path):
    receipt = Receipt(f"{'a' * 100} … /nowakmei_1001_50009_01_convolution.ipynb", "canvas")
    page = Page(Student("s2", "s2"), NAME, tmp_path / "page.html", receipt)
    assert packing._named([page], NAME, "canvas") == ({}, [page])
    whole = replace(receipt, exported=f"haddadgrete_1002_50010_{'a' * 200}.zip")
    page = replace(page, receipt=whole)
    named, left_out = packing._named([page], NAME, "canvas")
    assert [str(name) for name in named] == [f"haddadgrete_1002_50010_{NAME}.html"] and not left_out


def test_a_name_of_two_who_are_no_group_is_nobodys(tmp_path):
    receipt = Receipt("x", "canvas", exported="nowakmei_1001_50009_01_convolution.ipynb")
    pages = [Page(Student(one, one), NAME, tmp_path / f"{one}.html", receipt) for one in ("s1", "s2")]
    assert packing._named(pages, NAME, "canvas") == ({}, pages)
    together = [replace(page, receipt=replace(receipt, members=("s1", "s2"))) for page in pages]
    named, left_out = packing._named(together, NAME, "canvas")
    assert list(named.values()) == [together] and not left_out


def test_a_name_that_no_zip_can_hold_is_left_out(tmp_path):
    receipt = Receipt("x", "moodle", exported="Grete M\udcfcller_7002_assignsubmission_file_/01_convolution.ipynb")
    page = Page(Student("s2", "s2"), NAME, tmp_path / "page.html", receipt)
    assert packing._named([page], NAME, "moodle") == ({}, [page])
