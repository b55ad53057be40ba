"""Files of learning platforms as they write them: scores of a whole term, and not a byte else changed.

The layouts are made by hand after public examples of each platform's exports; all people are invented.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from grading.assignment import Assignment, load_assignment
from grading.exchange.people import Roster, Student
from grading.gradebook.book import Book
from grading.gradebook.exporting import Exported, export
from grading.gradebook.layouts import Kind
from grading.problems import GradingError
from grading.results import Graded, Mark
from tests.grading.school import CHECK, NAME, School
from utils.checking import Status, Verdict
from utils.paths import NOTEBOOKS

SECOND = "02_cnn_on_mnist"
THIRD = "03_receptive_field"
PEOPLE = Roster(
    (
        Student("s1", "", "Ada", "Lovelace", "ada@example.org", known_as={"canvas_id": "501", "sis_login": "ada1"}),
        Student("s2", "", "Zoë", "Müller", "zoe@example.org", known_as={"canvas_id": "502", "login": "zmueller"}),
    )
)


@dataclass
class Term:
    """A class with two graded assignments. s1 has 0.5 in the first and 3 in the second, s2 has 1 in the first alone."""

    book: Book
    first: Assignment
    second: Assignment
    waiting: Assignment  # which nobody has handed in yet

    def fill(self, folder: Path, content: bytes, columns: tuple[str, ...] = (), **options) -> tuple[bytes, Exported]:
        """What becomes of a platform's file."""
        (folder / "in.csv").write_bytes(content)
        lessons = [self.first, self.second]
        done = export(self.book, lessons, folder / "out.csv", template=folder / "in.csv", columns=columns, **options)
        return done.path.read_bytes(), done


@pytest.fixture(scope="module")
def term(tmp_path_factory):
    school = School(tmp_path_factory.mktemp("class"))
    second, waiting = (load_assignment(NOTEBOOKS / f"{name}.ipynb") for name in (SECOND, THIRD))
    for assignment in (second, waiting):
        released = school.classroom.released(assignment.name)
        released.parent.mkdir()
        released.write_bytes((NOTEBOOKS / released.name).read_bytes())
    with Book(school.classroom) as book:
        for assignment in (school.assignment, second, waiting):
            book.register(assignment)
        book.enrol_class(PEOPLE)
        for student, points in (("s1", 0.5), ("s2", 1.0)):
            mark = Mark(CHECK, points, 1.0, _verdict("output_size"))
            book.record(Graded(student, NAME, [mark]), school.notebook())
        tasks = enumerate(second.tasks)
        marks = [Mark(one.grade_id, 3.0 if n == 0 else 0.0, one.points, _verdict(one.answer)) for n, one in tasks]
        book.record(Graded("s1", SECOND, marks), second.notebook)
        yield Term(book, school.assignment, second, waiting)


def _verdict(exercise: str) -> Verdict:
    return Verdict(exercise, Status.FAILED, "3 of 9 cases fail.")


CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Notes,01_convolution (98),Essay (77),02_cnn_on_mnist (99),"
    "Labs Current Score,Final Grade\r\n"
    ",,,,,,Manual Posting,,,,\r\n"
    "    Points Possible,,,,,,2,10,10,(read only),(read only)\r\n"
    '"Lovelace, Ada",501,,ada1,"DL 101 and DL 102","two\r\nlines, ""quoted""",{first},7.50,{second},75.0,C\r\n'
    '"Müller, Zoë",502,,zmueller,DL 101,=1+1,{zoe},N/A,{untouched},,\r\n'
    '"Student, Test",9999,,f00d,DL 101,,,,,,\r\n'
)
CANVAS_SEMICOLONS = (
    "Student;ID;SIS User ID;SIS Login ID;Section;01_convolution (98);02_cnn_on_mnist (99);Final Score\n"
    "    Points Possible;;;;;2,00;10,00;(read only)\n"
    "Lovelace, Ada;501;;ada1;DL;{first};{second};75,00\n"
    "Müller, Zoë;502;;zmueller;DL;{zoe};{untouched};0,00\n"
)
MOODLE = (
    '\ufeff"First name","Last name","ID number",Institution,Department,"Email address",'
    '"Assignment: 01_convolution (Real)","Assignment: 01_convolution (Percentage)",'
    '"Assignment: 01_convolution (Feedback)","Assignment: 02_cnn_on_mnist (Real)",'
    '"Course total (Real)","Last downloaded from this course"\n'
    'Ada,Lovelace,,"Moodle HQ","Rock on!",ada@example.org,{first},-,"-","{second}",75.00,1764423600\n'
    'Zoë,Müller,,,,zoe@example.org,{zoe},50.00 %,"well\ndone",{untouched},-,1764423600\n'
)
BRIGHTSPACE = (
    "OrgDefinedId,Username,Last Name,First Name,Email,01_convolution Points Grade <Numeric MaxPoints:2 Weight:10 "
    "Category:Labs CategoryWeight:50>,Labs Subtotal Numerator,02_cnn_on_mnist Points Grade <Numeric MaxPoints:10>,"
    "End-of-Line Indicator\r\n"
    "#s1,#ada1,Lovelace,Ada,ada@example.org,{first},,{second},#\r\n"
    "#s2,#zmueller,Müller,Zoë,zoe@example.org,{zoe},4,{untouched},#\r\n"
)
BLACKBOARD = (
    '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Last Access"\t"Availability"\t'
    '"Weighted Total [Total Pts: up to 100 Percentage] |11"\t"01_convolution [Total Pts: 2 Score] |12"\t'
    '"02_cnn_on_mnist [Total Pts: 10 Score] |13"\r\n'
    '"Lovelace"\t"Ada"\t"ada1"\t"s1"\t"2026-11-20 10:00:00"\t"Yes"\t"12,5"\t"{first}"\t"{second}"\r\n'
    '"Müller"\t"Zoë"\t"zmueller"\t"s2"\t""\t"Yes"\t""\t"{zoe}"\t"{untouched}"\r\n'
)
GRADESCOPE = (
    "First Name,Last Name,SID,Email,Sections,01_convolution,01_convolution - Max Points,01_convolution - Submission "
    "Time,01_convolution - Lateness (H:M:S),02_cnn_on_mnist,02_cnn_on_mnist - Max Points,Total Lateness (H:M:S)\n"
    "Ada,Lovelace,s1,ada@example.org,,{first},2.0,2026-11-20 10:00:00 -0500,00:00:00,{second},10.0,00:00:00\n"
    "Zoë,Müller,s2,zoe@example.org,DL,{zoe},2.0,,,{untouched},10.0,00:00:00\n"
)
PLATFORMS = {  # {name: (text, encoding, decimal sign)}
    "canvas": (CANVAS, "utf-8", "."),
    "canvas with semicolons": (CANVAS_SEMICOLONS, "utf-8", ","),
    "moodle": (MOODLE, "utf-8", "."),
    "moodle, saved by Excel": ("sep=,\r\n" + MOODLE.removeprefix("\ufeff"), "cp1252", "."),
    "brightspace": (BRIGHTSPACE, "utf-8", "."),
    "blackboard": ("\ufeff" + BLACKBOARD, "utf-16-le", ","),
    "blackboard without a mark": (BLACKBOARD, "utf-16-le", ","),
    "gradescope": (GRADESCOPE, "utf-8", "."),
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_term_in_one_go_and_byte_for_byte(term, tmp_path, platform):
    text, encoding, sign = PLATFORMS[platform]
    untouched = f"9{sign}25"
    before = text.format(first="", second="-", zoe="0", untouched=untouched).encode(encoding)
    after = text.format(first=f"0{sign}5", second="3", zoe="1", untouched=untouched).encode(encoding)
    content, done = term.fill(tmp_path, before, roster=PEOPLE)
    assert content == after
    assert done.written == 3 and not done.not_in_template and not done.without_column


WORKSHEET = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (submission),Feedback comments\n"
    'Participant 77,Ada Lovelace,ada@example.org,Submitted,{first},100.00,"Monday, 2 March 2026, 9:00 AM",'
    '"first line\nsecond, ""line"""\n'
)
QUESTIONS = (
    "Name,SID,Email,Total Score,Max Points,Status,Submission ID,Submission Time,Lateness (H:M:S),View Count,"
    "Submission Count,1: output_size (1.0 pts),2: quiz_same_output_size (1.0 pts)\n"
    "Ada Lovelace,s1,ada@example.org,{total},2.0,Graded,9001,2026-03-01 10:00:00 +0000,00:00:00,0,1,{first},{quiz}\n"
    "Zoë Müller,s2,zoe@example.org,,2.0,Missing,,,,,0,,\n"
)


def test_moodles_worksheet_is_that_of_one_assignment(term, tmp_path):
    before = WORKSHEET.format(first="").encode()
    with pytest.raises(GradingError, match="no column '01_convolution, 02_cnn_on_mnist'"):
        term.fill(tmp_path, before, roster=PEOPLE)
    (tmp_path / "in.csv").write_bytes(before)
    done = export(term.book, [term.first], tmp_path / "out.csv", template=tmp_path / "in.csv", roster=PEOPLE)
    assert done.path.read_bytes() == WORKSHEET.format(first="0.5").encode()
    assert done.other_points == {"Grade": (100, 2)} and done.not_in_template == ["s2"]


def test_an_exercise_is_a_column_of_its_own(term, tmp_path):
    (tmp_path / "in.csv").write_bytes(QUESTIONS.format(total="", first="", quiz="").encode())
    files = {"path": tmp_path / "out.csv", "template": tmp_path / "in.csv", "roster": PEOPLE}
    done = export(term.book, [term.first], **files, columns=["Total Score"], per_exercise=True)
    one, rest = done.path.read_text().split("\nZoë")
    assert one == QUESTIONS.format(total="0.5", first="0.5", quiz="0").split("\nZoë")[0]
    assert rest.split(",")[3:5] == ["1", "2.0"] and rest.endswith(",1,0\n") and not done.other_points

    done = export(term.book, [term.first], **files, columns=["output_size=1: output_size (1.0 pts)"])
    assert done.path.read_text().startswith(QUESTIONS.format(total="", first="0.5", quiz="").split("\nZoë")[0])
    assert done.without_column == [NAME]


def test_points_of_an_assignment_are_not_changed_to_those_of_the_platform(term, tmp_path):
    """Whoever uploads 0.5 of 2 points into a column of 100 gives a fail, so that is said."""
    _, done = term.fill(tmp_path, CANVAS.replace(",2,10,10,", ",100,10,10,").encode(), roster=PEOPLE)
    assert done.other_points["01_convolution (98)"] == (100, 2)
    assert done.other_points["02_cnn_on_mnist (99)"][0] == 10
    _, done = term.fill(tmp_path, GRADESCOPE.encode(), roster=PEOPLE)
    assert done.other_points == {SECOND: (10, done.points[SECOND][0])}


def test_who_is_excused_stays_excused(term, tmp_path):
    before = CANVAS.format(first="EX", second="", zoe="", untouched="").encode()
    content, done = term.fill(tmp_path, before, roster=PEOPLE)
    assert content == CANVAS.format(first="EX", second="3", zoe="1", untouched="").encode()
    assert done.excused == ["s1"] and done.written == 2 and not done.not_in_template


def test_what_nobody_handed_in_asks_for_no_column(term, tmp_path):
    (tmp_path / "in.csv").write_bytes(WORKSHEET.format(first="").encode())
    files = {"path": tmp_path / "out.csv", "template": tmp_path / "in.csv", "roster": PEOPLE}
    for columns in ([], ["Grade"]):
        done = export(term.book, [term.first, term.waiting], **files, columns=columns)
        assert done.path.read_bytes() == WORKSHEET.format(first="0.5").encode() and not done.without_column
    with pytest.raises(GradingError, match="Nobody has a score"):
        export(term.book, [term.waiting, term.waiting], tmp_path / "none.csv")


def test_an_assignment_without_a_column_is_named(term, tmp_path):
    text = "Username,01 Convolution,Essay\ns1,,\n"
    content, done = term.fill(tmp_path, text.encode())
    assert content == b"Username,01 Convolution,Essay\ns1,0.5,\n" and done.without_column == [SECOND]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["Essay"], "does not say whose column it is.*NAME=HEADER.*01_convolution, 02_cnn_on_mnist"),
        ([f"{NAME}=Nowhere"], "no column 'Nowhere'.*Essay"),
        ([f"{NAME}=Essay", f"{SECOND}=Essay"], "would both stand under 'Essay'"),
        ([f"{NAME}=Essay", f"{NAME}=Username"], "names a column for 01_convolution twice"),
    ],
)
def test_columns_that_cannot_be_meant(term, tmp_path, columns, message):
    with pytest.raises(GradingError, match=message):
        term.fill(tmp_path, b"Username,Essay,Other\ns1,,\n", tuple(columns))
    assert not (tmp_path / "out.csv").exists()


def test_all_assignments_in_a_file_of_our_own(term, tmp_path):
    lessons = [term.first, term.second]
    plain = export(term.book, lessons, tmp_path / "plain.csv", roster=PEOPLE).path.read_text(encoding="utf-8")
    header, ada, zoe = (line.split(",") for line in plain.splitlines())
    assert header[5:8] == [NAME, f"{NAME} max_score", f"{NAME} late_penalty"] and header[10] == SECOND
    assert (ada[5], ada[10]) == ("0.5", "3") and (zoe[5], zoe[10]) == ("1", "")
    canvas = export(term.book, lessons, tmp_path / "canvas.csv", Kind.CANVAS, roster=PEOPLE).path
    assert canvas.read_text(encoding="utf-8").splitlines()[0].endswith(f"Section,{NAME},{SECOND}")
