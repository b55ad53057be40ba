"""What platforms export is placed in submitted/; what cannot be placed is named, with the reason; nobody is guessed."""

import io
import os
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grading.classroom import STUDENT, Classroom
from grading.exchange import archives
from grading.exchange.collecting import collect
from grading.problems import GradingError
from grading.submission.parsing import MOST_BYTES
from grading.untrusted.text import printable

NAME = "01_convolution"
FILE = f"{NAME}.ipynb"
ROSTER = """\
id,First name,Last name,Email,Canvas ID,Identifier
jdoe,Jane,Doe,jane@example.org,12345,Participant 900
zoe,Zoë,O'Neill,zoe.oneill@example.org,222,
wang,小明,王,wang@example.org,333,
"""


@pytest.fixture
def classroom(tmp_path):
    for name in (NAME, "02_cnn_on_mnist"):
        released = Classroom(tmp_path / "class").released(name)
        released.parent.mkdir(parents=True)
        released.write_text("{}")
    return Classroom(tmp_path / "class")


@pytest.fixture
def roster(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text(ROSTER, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path):
    """Makes a folder of these files; the content of each is its name, unless it is given."""

    def make(*names, **contents):
        for name in names:
            path = tmp_path / "source" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents.get(name, name.encode()))
        return tmp_path / "source"

    return make


def zipped(members):
    """A zip, as bytes: from a dict of names and contents, or a list of (ZipInfo or name, content)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def archive(tmp_path):
    def make(members):
        path = tmp_path / "export.zip"
        path.write_bytes(members if isinstance(members, bytes) else zipped(members))
        return path

    return make


def students(collected):
    return [placed.student for placed in collected.placed]


def content(classroom, student, name=NAME):
    return classroom.submitted(student, name).read_text()


def why(collected):
    return " ".join(reason for _, reason in collected.not_placed)


# --- whose is it? ---

WHOSE = {
    "Canvas, by number": (f"whoever_12345_678_{FILE}", "jdoe"),
    "Canvas, by name": (f"doejane_99_678_{FILE}", "jdoe"),
    "Canvas, late": (f"doejane_LATE_99_678_{FILE}", "jdoe"),
    "Canvas, signs in the name": (f"o-neill-zoe_98_678_{FILE}", "zoe"),
    "Canvas, renamed by the student": ("doejane_12345_678_my work.ipynb", "jdoe"),
    "Moodle, by number": (f"Whoever_900_assignsubmission_file_/{FILE}", "jdoe"),
    "Moodle, by name": (f"Zoë O'Neill_5_assignsubmission_file_/{FILE}", "zoe"),
    "Moodle, accents written apart": (f"Zoe\u0308 O'Neill_5_assignsubmission_file_/{FILE}", "zoe"),
    "Moodle, other letters": (f"王 小明_5_assignsubmission_file_/{FILE}", "wang"),
    "Moodle, no folders": (f"Jane Doe_5_assignsubmission_file_{FILE}", "jdoe"),
    "Moodle, folders of the student": (f"Jane Doe_5_assignsubmission_file_/zoe/{FILE}", "jdoe"),
    "nbgrader": (f"submitted/jdoe/{NAME}/{FILE}", "jdoe"),
    "nbgrader, folders of the student": (f"jdoe/{NAME}/zoe/{NAME}/{FILE}", "jdoe"),
    "a folder each": (f"jdoe/{FILE}", "jdoe"),
    "a folder each, in a folder": (f"spring/jdoe/zoe/{FILE}", "jdoe"),
    "a folder each, with the name": (f"Jane Doe/{FILE}", "jdoe"),
    "the id in front": (f"jdoe_{FILE}", "jdoe"),
    "the id behind": (f"{NAME} - JDoe.ipynb", "jdoe"),
    "the e-mail": (f"zoe.oneill@example.org_{FILE}", "zoe"),
    "nothing but the id": ("jdoe.ipynb", "jdoe"),
}


@pytest.mark.parametrize(("name", "student"), WHOSE.values(), ids=WHOSE)
def test_the_student_is_found_on_the_roster(folder, classroom, roster, name, student):
    collected = collect(folder(name), classroom, NAME, roster)
    assert students(collected) == [student]
    assert content(classroom, student) == name
    assert collected.not_placed == []


@pytest.mark.parametrize(
    ("name", "student"),
    [
        (f"doejane_12345_678_{FILE}", "doejane_12345"),
        (f"王小明_12345_678_{FILE}", "12345"),
        (f"Jane Doe_900_assignsubmission_file_/{FILE}", "jane.doe"),
        (f"jdoe/{NAME}/{FILE}", "jdoe"),
        (f"jdoe_{FILE}", "jdoe"),
    ],
)
def test_without_a_roster_the_name_is_taken(folder, classroom, name, student):
    assert students(collect(folder(name), classroom, NAME)) == [student]
    assert classroom.students(NAME) == [student]


@pytest.mark.parametrize(
    "name", [FILE, f"spring/jdoe/{FILE}", f"jdoe/zoe_{FILE}", f"../{FILE}", f"王_5_assignsubmission_file_/{FILE}"]
)
def test_without_a_roster_nobody_is_guessed(archive, classroom, name):
    collected = collect(archive({name: b"x", "anna_" + FILE: b"y"}), classroom, NAME)
    assert students(collected) == ["anna"]
    assert len(collected.not_placed) == 1


def test_strangers_and_namesakes_are_not_placed(folder, classroom, roster):
    with roster.open("a", encoding="utf-8") as file:
        file.write("jdoe2,Jane,Doe,,,\n")
    source = folder(f"doejane_7_678_{FILE}", f"stranger_8_679_{FILE}")
    collected = collect(source, classroom, NAME, roster)
    assert students(collected) == []
    assert [reason for _, reason in collected.not_placed] == [
        "It can be from jdoe or jdoe2.",
        "Nobody on the roster has this name or id.",
    ]


def test_two_people_who_may_be_one_student_are_both_left_out(folder, classroom, roster):
    source = folder(f"doejane_7_678_{FILE}", f"doejane_8_679_{FILE}")
    collected = collect(source, classroom, NAME, roster)
    assert students(collected) == []
    assert len(collected.not_placed) == 2 and "Two people" in why(collected)


def test_two_of_one_name_are_both_left_out_without_a_roster_too(folder, classroom):
    source = folder(*(f"Jane Doe_{number}_assignsubmission_file_/{FILE}" for number in (1, 2)))
    assert students(collect(source, classroom, NAME)) == []


def test_a_number_and_a_name_that_disagree_are_nobodys(folder, classroom, roster):
    collected = collect(folder(f"oneillzoe_12345_678_{FILE}"), classroom, NAME, roster)
    assert why(collected) == "It can be from jdoe or zoe."


@pytest.mark.parametrize("wrapper", ["", "spring/"])
def test_a_strangers_folder_cannot_replace_what_is_anothers(folder, classroom, roster, wrapper):
    source = folder(f"{wrapper}jdoe/{FILE}", f"{wrapper}stranger/jdoe_{FILE}")
    collected = collect(source, classroom, NAME, roster)
    assert students(collected) == [] and len(collected.not_placed) == 2


def test_names_that_differ_in_case_alone_are_not_mixed_up(folder, archive, classroom):
    collected = collect(archive({f"Anna_{FILE}": b"1", f"anna_{FILE}": b"2"}), classroom, NAME)
    assert students(collected) == [] and len(collected.not_placed) == 2
    collect(folder(f"Anna_{FILE}"), classroom, NAME)
    collected = collect(archive({f"anna_{FILE}": b"2"}), classroom, NAME)
    assert students(collected) == [] and "called Anna" in why(collected)


RESEMBLES = [
    f"jdoe._{FILE}", f"jdoe-_{FILE}", f"jdoe__{FILE}", f"_jdoe_{FILE}", f"jdoe copy_{FILE}", f"jdoe-copy_{FILE}",
    f"{NAME}_jdoe..ipynb", f"jdoe._{NAME}_2.ipynb", f"jdoe.-{NAME} (2).ipynb", f"ｊｄｏｅ_{FILE}", f"jdoe./{FILE}",
]  # fmt: skip


@pytest.mark.parametrize("name", RESEMBLES)
@pytest.mark.parametrize("named", [True, False])
def test_nobody_speaks_for_another_by_a_name_that_resembles(archive, classroom, roster, name, named):
    source = archive({f"jdoe_{FILE}": "mine", name: "another's"})
    collected = collect(source, classroom, NAME, roster if named else None)
    assert content(classroom, "jdoe") == "mine"
    assert students(collected) in (["jdoe"], ["jdoe", "jdoe."])
    assert len(collected.not_placed) + len(collected.placed) == 2


def test_an_id_that_ends_in_a_sign_is_its_owners(archive, classroom, roster):
    roster.write_text("id\njdoe\njdoe.\n")
    collect(archive({f"jdoe_{FILE}": "mine", f"jdoe._{FILE}": "theirs"}), classroom, NAME, roster)
    assert [content(classroom, student) for student in ("jdoe", "jdoe.")] == ["mine", "theirs"]


@pytest.mark.parametrize(
    "name",
    [f"jdoe-{FILE}", f"jdoe - {FILE}", f"Copy of jdoe_{FILE}", f"jdoe - Copy of {FILE}", f"jdoe_{NAME} copy 2.ipynb"]
    + [f"jdoe_{NAME}-Copy1.ipynb", f"jdoe_{NAME} (2).ipynb", f"{NAME} (jdoe).ipynb", "jdoe-Copy1.ipynb"],
)
def test_what_programs_add_to_a_name_makes_it_no_other(folder, classroom, name):
    assert students(collect(folder(name), classroom, NAME)) == ["jdoe"]


def test_on_the_roster_a_slip_of_the_pen_is_no_stranger(folder, classroom, roster):
    assert students(collect(folder(f"jdoe__{FILE}"), classroom, NAME, roster)) == ["jdoe"]


@pytest.mark.parametrize("name", ["submitted", "Export", "notebooks", NAME, "reach-main"])
@pytest.mark.parametrize("inside", [f"jdoe_{FILE}", f"jdoe/{NAME}/{FILE}", f"jdoe/{FILE}"])
@pytest.mark.parametrize("honest", [[f"jdoe/{FILE}", f"zoe/{FILE}"], [f"jdoe_{FILE}", f"zoe_{FILE}"]])
def test_a_student_called_like_a_usual_folder_is_one(archive, classroom, name, inside, honest):
    collected = collect(archive(dict.fromkeys(honest, "mine") | {f"{name}/{inside}": "x"}), classroom, NAME)
    assert students(collected) == ["jdoe", "zoe"] and content(classroom, "jdoe") == "mine"
    assert len(collected.not_placed) == 1 and collected.reader == "plain"


def test_a_late_file_beside_the_folder_of_all_changes_nothing(folder, classroom):
    source = folder(f"late_{FILE}", *(f"submissions/{student}/{FILE}" for student in "abc"))
    assert students(collect(source, classroom, NAME)) == ["a", "b", "c", "late"]


# --- which assignment, which version? ---


def test_the_assignment_is_found_in_the_names(folder, classroom):
    collected = collect(folder(f"a_{FILE}", "b_02_cnn_on_mnist.ipynb", "c.ipynb"), classroom)
    assert [(placed.student, placed.assignment) for placed in collected.placed] == [
        ("a", NAME),
        ("b", "02_cnn_on_mnist"),
    ]
    assert "which assignment" in why(collected)


def test_a_file_of_another_assignment_is_not_placed(folder, classroom):
    collected = collect(folder("b_02_cnn_on_mnist.ipynb"), classroom, NAME)
    assert "02_cnn_on_mnist" in why(collected)


def test_an_assignment_that_was_not_released_is_refused(folder, classroom):
    with pytest.raises(GradingError, match="was not released"):
        collect(folder(FILE), classroom, "03_receptive_field")


@pytest.mark.parametrize(
    "older_to_newer",
    [
        [f"doejane_1_10_{NAME}.ipynb", f"doejane_1_11_{NAME}-1.ipynb", f"doejane_1_12_{NAME}-2.ipynb"],
        [f"doejane_1_9_{NAME}-10.ipynb", f"doejane_1_10_{NAME}-9.ipynb"],
        [f"doejane_LATE_1_10_{NAME}-9.ipynb", f"doejane_LATE_1_10_{NAME}-10.ipynb"],
        [f"J Doe_1_assignsubmission_file_/{NAME}.ipynb", f"J Doe_1_assignsubmission_file_/{NAME} (1).ipynb"],
        [f"anna/{FILE}", f"anna/{NAME}_2.ipynb", f"anna/{NAME}-v3.ipynb"],
    ],
)
def test_the_newest_version_counts(folder, classroom, roster, older_to_newer):
    roster.write_text("id,canvas,name\nanna,,Anna Ash\njdoe,,J Doe\njane,,Jane Doe\n")
    collected = collect(folder(*reversed(older_to_newer)), classroom, NAME, roster)
    (placed,) = collected.placed
    assert content(classroom, placed.student) == older_to_newer[-1]
    assert f"newest of {len(older_to_newer)}" in placed.note


def test_of_equal_names_the_last_changed_one_counts(folder, classroom, roster):
    source = folder(f"jdoe/a/{FILE}", f"jdoe/b/{FILE}")
    os.utime(source / "jdoe/a" / FILE, (2e9, 2e9))
    collect(source, classroom, NAME, roster)
    assert content(classroom, "jdoe") == f"jdoe/a/{FILE}"


def test_what_was_collected_before_is_replaced_by_newer_work_only(folder, classroom):
    source = folder(f"anna_{FILE}")
    file = source / f"anna_{FILE}"
    os.utime(file, (1e9, 1e9))
    assert collect(source, classroom, NAME).placed[0].note == ""
    assert collect(source, classroom, NAME).placed[0].note == ""

    file.write_text("newer")
    os.utime(file, (1.1e9, 1.1e9))
    assert "replaces" in collect(source, classroom, NAME).placed[0].note
    assert content(classroom, "anna") == "newer"

    file.write_text("older")
    os.utime(file, (1e9, 1e9))
    assert "older than" in why(collect(source, classroom, NAME))
    assert content(classroom, "anna") == "newer"


def test_late_marks_are_kept(folder, classroom):
    (placed,) = collect(folder(f"doejane_LATE_1_2_{FILE}"), classroom, NAME).placed
    assert placed.late and "late" in placed.note


# --- when? ---


def test_the_time_of_a_file_becomes_nbgraders_timestamp(folder, classroom):
    from nbgrader.utils import parse_utc

    source = folder(f"anna_{FILE}")
    moment = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
    os.utime(source / f"anna_{FILE}", (moment.timestamp(),) * 2)
    (placed,) = collect(source, classroom, NAME).placed
    written = classroom.submitted("anna", NAME).with_name("timestamp.txt").read_text()
    assert parse_utc(written).replace(tzinfo=UTC) == moment == placed.submitted


def test_nbgraders_timestamp_is_believed_and_a_students_is_not(folder, classroom):
    source = folder(f"anna/{NAME}/{FILE}", f"bo_{FILE}", f"carl/{FILE}", f"dora/{NAME}/{FILE}", f"eve/{NAME}/{FILE}")
    for path in (source / f"anna/{NAME}", source / "carl"):
        (path / "timestamp.txt").write_text("2001-02-03 04:05:06.789 UTC")
    times = {placed.student: placed.submitted.year for placed in collect(source, classroom, NAME).placed}
    assert times["anna"] == 2001
    assert times["bo"] > 2001 and times["carl"] > 2001


def test_a_zip_without_dates_gives_no_time(archive, classroom):
    info = zipfile.ZipInfo(f"anna_{FILE}", date_time=(1980, 1, 1, 0, 0, 0))
    (placed,) = collect(archive([(info, "x")]), classroom, NAME).placed
    assert placed.submitted is None
    assert not classroom.submitted("anna", NAME).with_name("timestamp.txt").exists()


# --- zips ---


def test_a_zip_reads_like_a_folder(archive, classroom, roster):
    members = {name: str(number) for number, (name, _) in enumerate(WHOSE.values()) if "assignsub" in name}
    members |= {"__MACOSX/._x.ipynb": "x", ".DS_Store": "x"}
    collected = collect(archive(members), classroom, NAME, roster)
    assert not collected.not_placed or "Two people" in why(collected)
    assert "wang" in students(collected)


def test_a_zip_of_a_folder_is_that_folder(archive, classroom):
    source = archive({f"spring/anna_{FILE}": "a", f"spring/ben_{FILE}": "b", "spring/roster.pdf": "c"})
    collected = collect(source, classroom, NAME)
    assert students(collected) == ["anna", "ben"]
    ((name, reason),) = collected.not_placed
    assert name == "spring/roster.pdf" and "It is a PDF" in reason


def test_the_zip_of_one_student_keeps_their_name(archive, classroom):
    source = archive({f"anna/{NAME}/{FILE}": "a", f"anna/{NAME}/timestamp.txt": "2001-02-03 04:05:06 UTC"})
    (placed,) = collect(source, classroom, NAME).placed
    assert (placed.student, placed.submitted.year) == ("anna", 2001)


@pytest.mark.parametrize(
    "name", ["doejane_12345_678_work.zip", "Jane Doe_900_assignsubmission_file_/a.zip", "jdoe.zip"]
)
@pytest.mark.parametrize("inside", [FILE, f"zoe/{FILE}", f"oneillzoe_222_1_{FILE}", f"zoe/{NAME}/{FILE}"])
def test_nothing_in_a_students_zip_makes_it_anothers(archive, folder, classroom, roster, name, inside):
    inner = zipped({inside: "mine"})
    for source in (archive({name: inner}), folder(name, **{name: inner})):
        assert students(collect(source, classroom, NAME, roster)) == ["jdoe"]
    assert content(classroom, "jdoe") == "mine"


@pytest.mark.parametrize(
    "name", [f"../anna_{FILE}", f"/anna_{FILE}", f"C:\\anna_{FILE}", f"a\\..\\..\\anna_{FILE}", ".."]
)
@pytest.mark.parametrize("nested", [False, True])
def test_names_that_lead_out_of_an_archive_are_refused(archive, classroom, name, nested, tmp_path):
    evil = zipped({name: "evil"})
    before = sorted(tmp_path.rglob("*"))
    source = archive({"anna.zip": evil, f"ben_{FILE}": "b"} if nested else {name: "evil", f"ben_{FILE}": "b"})
    collected = collect(source, classroom, NAME)
    assert students(collected) == ["ben"]
    assert "leads out of the archive" in why(collected)
    new = set(tmp_path.rglob("*")) - set(before) - {source}
    assert all(path.is_relative_to(classroom.root / "submitted") for path in new)


def test_links_and_devices_are_refused(archive, folder, classroom, tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_text("secret")
    link = zipfile.ZipInfo(f"anna_{FILE}")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "link" in why(collect(archive([(link, str(secret))]), classroom, NAME))

    source = folder(f"ben_{FILE}")
    (source / f"anna_{FILE}").symlink_to(secret)
    (source / "carl").symlink_to(tmp_path)
    os.mkfifo(source / f"dora_{FILE}")
    collected = collect(source, classroom, NAME)
    assert students(collected) == ["ben"]
    assert [reason for _, reason in collected.not_placed] == [
        "It is a link.",
        "It is a link.",
        "It is not an ordinary file.",
    ]


BOMBS = {
    "one large file": lambda: zipped({FILE: bytes(MOST_BYTES + 1)}),
    "many files": lambda: zipped({f"{number}.ipynb": b"" for number in range(archives.MOST_MEMBERS_INSIDE + 1)}),
    "zips in zips": lambda: packed(zipped({FILE: b"x"}), times=archives.DEEPEST),
    "many files in many zips": lambda: zipped(
        {f"{n}.zip": zipped({f"{m}.ipynb": b"" for m in range(300)}) for n in range(4)}
    ),
    "large zips in a zip": lambda: zipped(
        {f"{n}.zip": zipped({"a": bytes(MOST_BYTES)}) + bytes(MOST_BYTES // 2) for n in range(12)}
    ),
    "damaged": lambda: zipped({FILE: bytes(1000)})[:-30],
    "no zip": lambda: b"PK" + bytes(100),
    "empty": lambda: zipped({}),
    "another compression": lambda: with_compression(zipfile.ZIP_LZMA),
}


def many_files(number):
    return zipped({f"{one}.ipynb": b"" for one in range(number)})


def packed(content, times):
    """A zip in a zip, and so on."""
    for _ in range(times):
        content = zipped({"inner.zip": content})
    return content


def with_compression(method):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(FILE, "x")
    return buffer.getvalue()


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_students_bomb_harms_nobody_else(archive, classroom, bomb):
    collected = collect(archive({"anna.zip": bomb(), f"ben_{FILE}": "b"}), classroom, NAME)
    assert students(collected) == ["ben"]
    assert len(collected.not_placed) == 1


def test_an_endless_name_is_not_placed(archive, classroom):
    collected = collect(archive({"_" * 60_000 + FILE: "x"}), classroom, NAME)
    assert "characters" in why(collected) and len(collected.not_placed[0][0]) < 300


def test_an_encrypted_member_is_not_placed(archive, classroom):
    content = bytearray(zipped({f"anna_{FILE}": "x"}))
    content[6] |= 1  # the flag of encryption, in the member's header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    assert "encrypted" in why(collect(archive(bytes(content)), classroom, NAME))


def test_too_large_a_file_is_not_placed(folder, classroom):
    source = folder(f"anna_{FILE}")
    os.truncate(source / f"anna_{FILE}", MOST_BYTES + 1)
    assert "20 MB" in why(collect(source, classroom, NAME))


def test_a_source_that_is_none_is_refused(tmp_path, classroom):
    with pytest.raises(GradingError, match="does not exist"):
        collect(tmp_path / "nowhere", classroom, NAME)
    (tmp_path / "no.zip").write_text("hello")
    with pytest.raises(GradingError, match="neither a folder nor a zip"):
        collect(tmp_path / "no.zip", classroom, NAME)


def test_the_source_stays_as_it_is(folder, classroom):
    source = folder(f"anna_{FILE}", f"ben/{FILE}", "notes.txt")
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    collect(source, classroom, NAME)
    assert {path: path.read_bytes() for path in source.rglob("*") if path.is_file()} == before


def test_names_are_fit_to_be_shown():
    name = printable(PurePosixPath("\x1b[31m\u202egnp.exe\n" + "x" * 1000))
    assert name.isprintable() and len(name) <= 210


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=1, max_size=30), unique=True, max_size=5))
def test_any_names_stay_in_the_classroom(tmp_path, archive, classroom, names):
    source = archive([(zipfile.ZipInfo(name.replace("\0", "")), name) for name in names])
    collected = collect(source, classroom, NAME)
    assert all(STUDENT.fullmatch(placed.student) for placed in collected.placed)
    assert {path.name for path in tmp_path.iterdir()} <= {"class", "export.zip"}
