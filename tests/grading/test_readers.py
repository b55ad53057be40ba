"""Each platform's export is read for what it is: who, which attempt, when; nobody is guessed."""

import re
import sys
from datetime import UTC, datetime
from importlib.metadata import EntryPoint, EntryPoints
from types import SimpleNamespace

import pytest

from grading.exchange import readers
from grading.exchange.dates import date_in
from grading.problems import GradingError
from grading.receipt import Receipt
from tests.grading.exports import FILE, NAME, Class, placed, why, zipped
from utils.paths import COURSE


@pytest.fixture
def a_class(tmp_path) -> Class:
    return Class(tmp_path)


MOODLE = "assignsubmission_file_"
PLACED = {  # {what: (reader, files, {student: file})}
    "Canvas": (
        "canvas",
        [f"nowakmei_1000_50001_{FILE}", f"haddadgrete_LATE_1001_50002_{NAME}-1.ipynb", f"mullerzoe_77_5_{FILE}"],
        {"s0001": 0, "s0002": 1, "s0004": 2},
    ),
    "Canvas, further tries": (
        "canvas",
        [f"müllerzoë_1003_50005_{NAME}-2.ipynb", f"mullerzoe_1003_50004_{NAME}-9.ipynb"],
        {"s0004": 0},
    ),
    "Canvas, in a folder": ("canvas", [f"export/nowakmei_1000_50001_{FILE}"], {"s0001": 0}),
    "Canvas, a group of the roster": ("canvas", [f"groupa_1000_50001_{FILE}"], {"s0001": 0, "s0002": 0}),
    "Moodle": (
        "moodle",
        [f"Mei Nowak_5_{MOODLE}/{FILE}", f"Omar de la Cruz_6_{MOODLE}/x/{FILE}", f"X_7001_{MOODLE}/{FILE}"],
        {"s0001": 0, "s0003": 1, "s0002": 2},
    ),
    "Moodle in group mode": (
        "moodle",
        [
            f"Group A-Mei Nowak_5_{MOODLE}/{FILE}",
            f"Default group-Grete Haddad_6_{MOODLE}/{FILE}",
            f"Standardgruppe-Omar de la Cruz_7_{MOODLE}/{FILE}",
            f"Lab 2-Zoë Müller_8_{MOODLE}/{FILE}",
        ],
        {"s0001": 0, "s0002": 1, "s0003": 2, "s0004": 3},
    ),
    "Moodle, groups by any names": (
        "moodle",
        [f"Red-Mei Nowak_5_{MOODLE}/{FILE}", f"Red-Lena Meyer_6_{MOODLE}/{FILE}"],
        {"s0001": 0, "s0005": 1},
    ),
    "Moodle, blind, with the worksheet's numbers": (
        "moodle",
        [f"Participant_7000_{MOODLE}/{FILE}", f"Teilnehmerin_7001_{MOODLE}/{FILE}"],
        {"s0001": 0, "s0002": 1},
    ),
    "Brightspace": (
        "brightspace",
        [
            f"12345-67890 - Mei Nowak - Sep 24, 2024 926 PM/{FILE}",
            f"12346-67890 - Grete Haddad - Sep 25, 2024 926 AM/{FILE}",
            f"12346-67890 - Grete Haddad - Sep 24, 2024 1126 PM/{FILE}",
        ],
        {"s0001": 0, "s0002": 1},
    ),
    "Blackboard": (
        "blackboard",
        [
            f"gradebook_2024-DL-101_{NAME}_mnowak_attempt_2024-09-24-21-26-00_work.ipynb",
            f"gradebook_2024-DL-101_{NAME}_mnowak_attempt_2024-09-24-21-26-00.txt",
            f"gradebook_2024-DL-101_{NAME}_mnowak_attempt_2024-09-25-08-00-00_{FILE}",
            f"gradebook_2024-DL-101_{NAME}_mnowak_attempt_2024-09-25-08-00-00.txt",
        ],
        {"s0001": 2},
    ),
    "Blackboard, files called like Blackboard's own": (
        "blackboard",
        [
            f"gradebook_DL_{NAME}_mnowak_attempt_2024-09-24-21-26-00_mnowak_attempt_2020-01-01-00-00-00_{FILE}",
            f"gradebook_DL_{NAME}_mnowak_attempt_2024-09-25-21-26-00_gradebook_DL_{NAME}_s0002_attempt_"
            f"2024-09-26-00-00-00_{FILE}",
            f"gradebook_DL_{NAME}_s0002_attempt_2024-09-24-21-26-00_{FILE}",
        ],
        {"s0001": 1, "s0002": 2},
    ),
    "GitHub Classroom": (
        "github_classroom",
        [f"01-convolution-submissions/01-convolution-{name}/{FILE}" for name in ("mei-codes", "grete-h", "s0004")]
        + ["01-convolution-submissions/01-convolution-s0004/README.md"],
        {"s0001": 0, "s0002": 1, "s0004": 2},
    ),
    "GitHub Classroom, a team, another slug": (
        "github_classroom",
        [f"lab-1-submissions/lab-1-group-a/{FILE}", f"lab-1-submissions/lab-1-omar/{FILE}"],
        {"s0001": 0, "s0002": 0, "s0003": 1},
    ),
    "ILIAS": (
        "ilias",
        [
            f"multi_feedback_1/Nowak_Mei_mnowak_12345/{FILE}",
            f"multi_feedback_1/de_la_Cruz_Omar_ocruz_12346/20240924212600_{FILE}",
            f"multi_feedback_1/Mueller_Zoe_another_12347/{FILE}",
        ],
        {"s0001": 0, "s0003": 1, "s0004": 2},
    ),
    "Google Classroom": (
        "google",
        [
            f"Grete Haddad - Copy of {FILE}",
            f"Mei Nowak - Kopie van {FILE}",
            f"Omar de la Cruz - {FILE}",
            f"Zoë Müller - Copie de {NAME} (1).ipynb",
            f"Lena Meyer - Kopie von {FILE}",
        ],
        {"s0002": 0, "s0001": 1, "s0003": 2, "s0004": 3, "s0005": 4},
    ),
    "nbgrader": (
        "nbgrader",
        [f"submitted/s0001/{NAME}/{FILE}", f"submitted/s0002/{NAME}/{FILE}"],
        {"s0001": 0, "s0002": 1},
    ),
    "Colab, a folder each": ("plain", [f"s0001/Copy of {FILE}", f"s0002/Kopie von {FILE}"], {"s0001": 0, "s0002": 1}),
    "a school's own names": (
        "plain",
        [
            f"s0001_2_{FILE}",
            f"s0002_20240924_{FILE}",
            f"s0003_20240924_101530_{FILE}",
            "01-convolution-s0004.ipynb",
            f"s0005_1_2_{FILE}",
        ],
        {"s0001": 0, "s0002": 1, "s0003": 2, "s0004": 3, "s0005": 4},
    ),
    "a school's own attempts": ("plain", [f"s0001_10_{FILE}", f"s0001_9_{FILE}"], {"s0001": 0}),
    "a folder of a group": ("plain", [f"Group A/{FILE}", f"s0003/{FILE}"], {"s0001": 0, "s0002": 0, "s0003": 1}),
    "e-mails and logins": ("plain", [f"mei@example.org/{FILE}", f"ghaddad_{FILE}"], {"s0001": 0, "s0002": 1}),
}


@pytest.mark.parametrize(("reader", "files", "expected"), PLACED.values(), ids=PLACED)
def test_an_export_is_placed(a_class, reader, files, expected):
    collected = a_class.collect(*files)
    assert collected.reader == reader
    assert placed(collected) == {student: files[number] for student, number in expected.items()}
    assert collected.not_placed == []
    for student, number in expected.items():
        assert a_class.content(student) == files[number]
        assert Receipt.read(a_class.classroom.receipt(student, NAME)).reader == reader


WITHOUT_ROSTER = {
    "Canvas": ([f"nowakmei_1000_50001_{FILE}"], ["nowakmei_1000"]),
    "Moodle": (
        [f"Group A-Mei Nowak_5_{MOODLE}/{FILE}", f"Anna-Lena Meyer_6_{MOODLE}/{FILE}"],
        ["anna.lena.meyer", "mei.nowak"],
    ),
    "Brightspace": (
        [f"12346-67890 - Grete Haddad - {day} sept. 2024 21 h 26/{FILE}" for day in (24, 25)],
        ["grete.haddad"],
    ),
    "Blackboard": (
        [f"gradebook_DL_{NAME}_mei_n_attempt_2024-09-2{day}-21-26-00_{FILE}" for day in (4, 5)],
        ["mei_n"],
    ),
    "GitHub Classroom": ([f"01-convolution-mei-codes/{FILE}"], ["mei-codes"]),
    "ILIAS": ([f"Nowak_Mei_mnowak_12345/{FILE}"], ["mnowak"]),
    "Google Classroom": ([f"Grete Haddad - Copy of {FILE}"], ["grete.haddad"]),
    "a folder around all": (
        [f"Submissions/s0001/{FILE}", f"Submissions/s0002/{FILE}", "notes.txt"],
        ["s0001", "s0002"],
    ),
    "a folder by another name": ([f"spring/s0001/{FILE}", f"spring/s0002_{FILE}", FILE], ["s0001", "s0002"]),
    "a folder around one": ([f"Abgaben/s0001/{FILE}"], ["s0001"]),
}


@pytest.mark.parametrize(("files", "students"), WITHOUT_ROSTER.values(), ids=WITHOUT_ROSTER)
def test_without_a_roster_the_platforms_names_become_ids(a_class, files, students):
    assert sorted(placed(a_class.collect(*files, roster=""))) == students


NOBODYS = {
    "Canvas, anonymous": (
        [f"anon_aB3dE_1001_{FILE}", f"LATE_anon_12345_1002_{FILE}"],
        "anonymous grading.*Switch that off",
    ),
    "Canvas, a stranger": ([f"strangerjo_7_50001_{FILE}"], "Nobody"),
    "Canvas, a number of another system": ([f"strangerjo_7000_50001_{FILE}"], "Nobody"),
    "Canvas, a group without its representative": ([f"groupb_1000_50001_{FILE}"], "not in that group"),
    "Canvas, number and name of two": ([f"haddadgrete_1000_50001_{FILE}"], "s0001 or s0002"),
    "Moodle, blind, unknown": (
        [f"Participant_1_{MOODLE}/{FILE}", f"Teilnehmerin_2_{MOODLE}/{FILE}"],
        "blind marking.*worksheet",
    ),
    "Moodle, a double name": ([f"Anna-Lena Meyer_5_{MOODLE}/{FILE}"], "Nobody"),
    "Moodle, double names": (
        [f"Anna-Lena Meyer_5_{MOODLE}/{FILE}", f"Anna-Sophie Braun_6_{MOODLE}/{FILE}"],
        "Nobody",
    ),
    "Blackboard, a stranger": ([f"gradebook_DL_{NAME}_jo_attempt_2024-09-24-21-26-00_{FILE}"], "Nobody"),
    "GitHub Classroom, a stranger": ([f"01-convolution-omar-1/{FILE}"], "Nobody"),
    "ILIAS, login and name of two": ([f"Nowak_Mei_ghaddad_12345/{FILE}"], "s0001 or s0002"),
    "Google Classroom, two people": ([f"Mei Nowak - Grete Haddad - {FILE}"], "s0001 or s0002"),
    "a stranger in a group's folder": ([f"Group A/jo_{FILE}"], "Nobody"),
    "a number that may be two ids": ([f"s0001_s0002_{FILE}"], "Nobody"),
    "Canvas's name in another's folder": (
        [f"s0001/haddadgrete_1001_1_{FILE}", f"nowakmei_1000_2_{FILE}", f"delacruzomar_1002_3_{FILE}"],
        "lies in the folder of one student",
    ),
}


@pytest.mark.parametrize(("files", "reason"), NOBODYS.values(), ids=NOBODYS)
def test_nobody_is_guessed(a_class, files, reason):
    collected = a_class.collect(*files)
    assert files[0] not in placed(collected).values()
    assert re.search(reason, why(collected)), why(collected)


def test_without_a_roster_anonymous_and_blind_exports_are_nobodys(a_class):
    for files in NOBODYS["Canvas, anonymous"][0], NOBODYS["Moodle, blind, unknown"][0], [f"s0001_2_{FILE}"]:
        assert placed(a_class.collect(*files, roster="")) == {}


def test_a_group_that_the_roster_does_not_know_is_said(a_class):
    (one,) = a_class.collect(f"groupone_1000_50001_{FILE}").placed
    assert one.student == "s0001" and "'groupone'" in one.note and "other members are not known" in one.note
    assert Receipt.read(a_class.classroom.receipt("s0001", NAME)).notes == one.notes


def test_a_team_of_ilias_of_which_one_is_named_is_said(a_class):
    one, other = a_class.collect(f"Team 47/Nowak_Mei_mnowak_5/{FILE}", f"Haddad_Grete_ghaddad_6/{FILE}").placed
    assert "'Team 47'" in one.note and "other members of the team are not known" in one.note and not other.note


def test_a_name_on_github_is_no_id_of_another(a_class):
    roster = "id,name,github\ns0001,Mei Nowak,s0002\ns0002,Grete Haddad,grete-h\n"
    repository = f"01-convolution-s0002/{FILE}"
    assert placed(a_class.collect(repository, roster=roster)) == {"s0001": repository}


def test_a_name_whose_number_on_canvas_is_anothers_is_said(a_class):
    (one,) = a_class.collect(f"nowakmei_77_50001_{FILE}").placed
    assert one.student == "s0001" and "by the name alone" in one.note and "77" in one.note and "1000" in one.note


def test_all_members_of_a_group_are_in_each_receipt(a_class):
    assert len(a_class.collect(f"groupa_1000_50001_{FILE}").placed) == 2
    for student in ("s0001", "s0002"):
        assert Receipt.read(a_class.classroom.receipt(student, NAME)).members == ("s0001", "s0002")


def test_a_whole_section_is_no_group(a_class):
    roster = "id,name,section\n" + "".join(f"s{n},Name {n},DL 101\n" for n in range(5))
    assert placed(a_class.collect(f"DL 101/{FILE}", roster=roster)) == {}


# --- Gradescope ---

METADATA = """---
submission_900001:
  :submitters:
  - :name: Mei Nowak
    :sid: s0001
    :email: mei@example.org
  - :name: Grete Haddad
    :sid:
    :email: grete@example.org
  - :name: Jo Fry
    :sid: s0999
    :email: jo@example.org
  :created_at: 2024-09-24 21:26:00.000000000 Z
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    score: 1
submission_900002:
  :submitters:
  - :name: Omar de la Cruz
    :sid: s0002
"""
EXPORT = "assignment_4711_export"


def gradescope(*names):
    return {f"{EXPORT}/submission_metadata.yml": METADATA} | {f"{EXPORT}/{name}": name for name in names}


def test_gradescopes_metadata_say_who_and_when(a_class):
    collected = a_class.collect(contents=gradescope(f"submission_900001/{FILE}"))
    assert placed(collected) == dict.fromkeys(("s0001", "s0002"), f"{EXPORT}/submission_900001/{FILE}")
    assert "Jo Fry" in collected.placed[0].note
    receipt = Receipt.read(a_class.classroom.receipt("s0002", NAME))
    assert receipt.members == ("s0001", "s0002")
    assert datetime.fromisoformat(receipt.submitted) == datetime(2024, 9, 24, 21, 26, tzinfo=UTC)


def test_gradescopes_metadata_that_contradict_or_lack_somebody_place_nobody(a_class):
    collected = a_class.collect(contents=gradescope(f"submission_900002/{FILE}", f"submission_900003/{FILE}"))
    assert placed(collected) == {}
    assert "s0002 or s0003" in why(collected) and "does not say whose" in why(collected)


def test_metadata_of_a_students_own_are_not_believed(a_class):
    metadata = "submission_1:\n  :submitters:\n  - :sid: honest\n"
    eve = {"eve/submission_metadata.yml": metadata} | {f"eve/submission_1/{n}/{FILE}": "eve's" for n in range(5)}
    for contents in eve, {"eve.zip": zipped({name[4:]: content for name, content in eve.items()})}:
        collected = a_class.collect(f"honest/{FILE}", contents=contents, roster="")
        assert placed(collected)["honest"] == f"honest/{FILE}" and collected.reader == "plain"


@pytest.mark.parametrize(
    "metadata", ["a: [", "[1, 2]", "", "a: &a [1]\nb: *a\n", "a: !!python/name:os.system\n", "[" * 5000]
)
def test_damaged_metadata_are_an_error_that_says_so(a_class, metadata):
    with pytest.raises(GradingError, match="Gradescope's submission_metadata.yml"):
        a_class.collect(contents={"submission_metadata.yml": metadata, f"submission_1/{FILE}": "x"})


# --- when ---


def local(*parts):
    return datetime(*parts).astimezone()


DATES = {
    "Sep 24, 2024 926 PM": (2024, 9, 24, 21, 26),
    "Sep 24, 2024 1206 AM": (2024, 9, 24, 0, 6),
    "24 September 2024 2126": (2024, 9, 24, 21, 26),
    "24. Okt. 2024 21.26": (2024, 10, 24, 21, 26),
    "24 août 2024 21 h 26": (2024, 8, 24, 21, 26),
    "24 de setembro de 2024 2126": (2024, 9, 24, 21, 26),
    "24 mei 2024 0926": (2024, 5, 24, 9, 26),
    "sept. 24, 2024 9:26 p. m.": (2024, 9, 24, 21, 26),
    "2024-09-24 2126": (2024, 9, 24, 21, 26),
    "24.9.2024 2126": (2024, 9, 24, 21, 26),
    "9-24-2024 9-26 PM": (2024, 9, 24, 21, 26),
    "2024年9月24日 2126": (2024, 9, 24, 21, 26),
}


@pytest.mark.parametrize(("text", "parts"), DATES.items())
def test_dates_in_names_are_understood(text, parts):
    assert date_in(text) == local(*parts)


@pytest.mark.parametrize("text", ["", "Mei Nowak", "5-6-2024 926 PM", "Sep 31, 2024 926 PM", "Sep 24, 2024", "2024"])
def test_dates_that_may_be_two_or_none_are_none(text):
    assert date_in(text) is None


TIMES = {
    "Canvas": (f"nowakmei_1000_50001_{FILE}", None),
    "Moodle": (f"Mei Nowak_5_{MOODLE}/{FILE}", None),
    "Brightspace": (f"1-2 - Mei Nowak - 24. Okt. 2024 2126/{FILE}", (2024, 10, 24, 21, 26)),
    "Blackboard": (f"gradebook_DL_{NAME}_mnowak_attempt_2024-09-24-21-26-05_{FILE}", (2024, 9, 24, 21, 26, 5)),
    "GitHub Classroom": (f"01-convolution-mei-codes/{FILE}", None),
    "ILIAS": (f"Nowak_Mei_mnowak_12345/20240924212605_{FILE}", (2024, 9, 24, 21, 26, 5)),
    "Google Classroom": (f"Mei Nowak - {FILE}", None),
}


@pytest.mark.parametrize(("name", "parts"), TIMES.values(), ids=TIMES)
def test_the_time_is_what_the_platform_says_and_never_that_of_the_download(a_class, name, parts):
    (one,) = a_class.collect(name).placed
    receipt = Receipt.read(a_class.classroom.receipt("s0001", NAME))
    stamp = a_class.classroom.submitted("s0001", NAME).with_name("timestamp.txt")
    assert one.submitted == (local(*parts) if parts else None)
    assert stamp.exists() == bool(parts)
    if parts:
        assert datetime.fromisoformat(receipt.submitted) == one.submitted
        assert datetime.fromisoformat(receipt.submitted).tzinfo
    else:
        assert receipt.submitted == ""


def test_canvas_says_who_is_late_and_which_attachment_is_newer(a_class):
    assert a_class.collect(f"nowakmei_LATE_1000_60_{FILE}").placed[0].late
    assert Receipt.read(a_class.classroom.receipt("s0001", NAME)).late
    older = a_class.collect(f"nowakmei_1000_59_{FILE}")
    assert placed(older) == {} and "older than what was collected" in why(older)
    newer = a_class.collect(f"nowakmei_1000_61_{FILE}")
    assert "replaces what was collected before." in newer.placed[0].note
    assert not Receipt.read(a_class.classroom.receipt("s0001", NAME)).late


def test_a_schools_own_attempt_number_says_which_is_newer(a_class):
    a_class.collect(f"s0001_2_{FILE}")
    assert "replaces" in a_class.collect(f"s0001_10_{FILE}").placed[0].note
    assert "older than what was collected" in why(a_class.collect(f"s0001_9_{FILE}"))


def test_where_nothing_says_which_is_newer_the_note_says_that(a_class):
    a_class.collect(f"Mei Nowak_5_{MOODLE}/{FILE}")
    (one,) = a_class.collect(f"nowakmei_1000_61_{FILE}").placed
    assert "nothing says which of the two is newer" in one.note


# --- which reader ---


def test_a_reader_can_be_named_and_an_unknown_one_is_refused(a_class):
    collected = a_class.collect(f"nowakmei_1000_50001_{FILE}", reader="plain")
    assert collected.reader == "plain"
    with pytest.raises(GradingError, match="There is no reader 'canvass'. There are: .*canvas"):
        a_class.collect(FILE, reader="canvass")
    with pytest.raises(GradingError, match="no export of Gradescope"):
        a_class.collect(FILE, reader="gradescope")


CHOSEN = [  # by a student, behind what the platform puts in front
    f"Mei Nowak_7000_{MOODLE}{FILE}",
    f"gradebook_DL_{NAME}_mnowak_attempt_2030-09-24-21-26-00_{FILE}",
    f"nowakmei_1000_50009_{FILE}",
    f"Mei Nowak - Copy of {FILE}",
    f"1-2 - Mei Nowak - Sep 24, 2030 926 PM/{FILE}",
    f"Nowak_Mei_mnowak_12345/{FILE}",
    f"s0001/{NAME}/{FILE}",
    f"01-convolution-submissions/01-convolution-mei-codes/{FILE}",
    f"submitted/s0001/{NAME}/{FILE}",
]
FRONTS = {
    "moodle": f"Grete Haddad_7001_{MOODLE}",
    "blackboard": f"gradebook_DL_{NAME}_ghaddad_attempt_2024-09-24-21-26-00_",
    "canvas": "haddadgrete_1001_50001_",
    "brightspace": "12346-67890 - Grete Haddad - Sep 25, 2024 926 AM/",
    "ilias": "Haddad_Grete_ghaddad_12346/",
    "github_classroom": "01-convolution-submissions/01-convolution-grete-h/",
}


@pytest.mark.parametrize("chosen", CHOSEN)
@pytest.mark.parametrize(("reader", "front"), FRONTS.items(), ids=FRONTS)
def test_names_of_a_students_choice_do_not_say_which_platform_it_is(a_class, reader, front, chosen):
    if "/" in chosen and not front.endswith("/"):
        chosen = chosen.replace("/", "-")  # a file's name has none
    mine = f"{front}{chosen}"
    collected = a_class.collect(mine)
    assert (collected.reader, {*placed(collected)} - {"s0002"}) == (reader, set())


def test_many_files_of_one_student_do_not_say_which_platform_it_is(a_class):
    files = [f"haddadgrete_1001_5000{n}_Mei Nowak_7000_{MOODLE}{FILE}" for n in range(9)]
    collected = a_class.collect(f"delacruzomar_1002_50010_{FILE}", *files)
    assert collected.reader == "canvas" and {*placed(collected)} == {"s0002", "s0003"}


def test_folders_of_a_class_that_somebody_brings_make_it_no_other_export(a_class):
    brought = [f"{step}/s0001/{NAME}/{FILE}" for step in ("submitted", "autograded", "source", "feedback")]
    collected = a_class.collect(f"s0001/{FILE}", *brought, f"release/{NAME}/{FILE}", roster="")
    assert collected.reader == "plain" and {*placed(collected)} <= {"s0001", "release"}
    assert a_class.content("s0001") == f"s0001/{FILE}"


def test_of_nbgraders_own_folders_submitted_alone_is_read(a_class):
    steps = [f"{step}/s0001/{NAME}/{FILE}" for step in ("autograded", "submitted", "feedback")]
    collected = a_class.collect(
        *steps, f"release/{NAME}/{FILE}", f"source/{NAME}/{FILE}", f"submitted/s0002/{NAME}/{FILE}"
    )
    assert collected.reader == "nbgrader" and set(placed(collected)) == {"s0001", "s0002"}
    assert "nbgrader's own" in why(collected) and a_class.content("s0001") == steps[1]


@pytest.fixture
def offer(monkeypatch):
    """Makes a reader one that another package offers as the entry point `ours`."""

    def make(**functions):
        module = SimpleNamespace(**functions)
        monkeypatch.setitem(sys.modules, "our_reader", module)
        ours = EntryPoints([EntryPoint("ours", "our_reader", readers.GROUP)])
        monkeypatch.setattr(readers, "entry_points", ours.select)

    return make


def test_a_schools_own_reader_is_an_entry_point(a_class, offer):
    guide = (COURSE / "docs/grading.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(\"\"\"What our own system.*?)```", guide, re.DOTALL)
    functions: dict = {}
    exec(example, functions)
    offer(**{name: functions[name] for name in ("recognizes", "clues")})
    name = f"[mnowak] 2024-09-24T21.26 {FILE}"
    collected = a_class.collect(name)
    assert (collected.reader, placed(collected)) == ("ours", {"s0001": name})
    assert collected.placed[0].submitted == local(2024, 9, 24, 21, 26)
    assert a_class.collect(f"haddadgrete_1001_50001_{FILE}").reader == "canvas"
    assert a_class.collect(f"s0003_{FILE}", reader="ours").reader == "ours"


def test_a_schools_own_reader_that_breaks_is_named(a_class, offer):
    offer(recognizes=lambda files, known: 1 / 0)
    with pytest.raises(GradingError, match="'ours' breaks: ZeroDivisionError"):
        a_class.collect(f"s0001_{FILE}")
    assert placed(a_class.collect(f"s0001_{FILE}", reader="plain")) == {"s0001": f"s0001_{FILE}"}
