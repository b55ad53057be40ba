"""Rosters of every platform are read or refused with a reason; a class keeps its people, and knows who is missing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.classroom import STUDENT, Classroom
from grading.exchange.attendance import not_handed_in
from grading.exchange.people import Roster, Student, folder_names
from grading.exchange.roster import keep, kept, read_roster, read_rosters
from grading.problems import GradingError
from grading.receipt import Receipt

NAME = "01_convolution"


@pytest.fixture
def read(tmp_path):
    def read(content: str | bytes) -> Roster:
        (tmp_path / "roster.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_roster(tmp_path / "roster.csv")

    return read


@pytest.fixture
def classroom(tmp_path) -> Classroom:
    (tmp_path / "class").mkdir()
    return Classroom(tmp_path / "class")


# --- files ---


@pytest.mark.parametrize(
    "content",
    [
        "id;first_name;last_name\njdoe;Jane;Doe\n".encode("utf-8-sig"),
        b"Student ID,Full name\njdoe,Jane Doe\n",
        "Student\tID\nDoe, Jane\tjdoe\n".encode("utf-16"),
        b'Student,ID,SIS Login ID\n"Doe, Jane",jdoe,x\n"    Points Possible",,\n',
        "Username;Vorname;First name;Surname\r\njdoe;;Jane;Doe;more;\r\n".encode("cp1252"),
        b"\xe4,id,name\n,jdoe,Jane Doe,more\n",
        b"sep=;\r\nid;name\r\njdoe;Jane Doe\r\n",
        b"Class list of DL 101\r\n\r\nid,name\r\njdoe,Jane Doe\r\n",
        # Moodle's list of participants
        b"First name,Last name,ID number,Email address,Groups\nJane,Doe,jdoe,jane@example.org,A\n",
        b"Vorname;Nachname;ID-Nummer;E-Mail-Adresse;Gruppen\nJane;Doe;jdoe;jane@example.org;A\n",
        "Prénom,Nom de famille,Numéro d'identification,Adresse de courriel\nJane,Doe,jdoe,j@example.org\n".encode(),
        "Nombre,Apellido(s),Número de ID,Dirección de correo\nJane,Doe,jdoe,j@example.org\n".encode(),
        b"Nome,Cognome,Codice identificativo,Indirizzo email\nJane,Doe,jdoe,j@example.org\n",
        b"Voornaam,Achternaam,ID-nummer,E-mailadres\nJane,Doe,jdoe,j@example.org\n",
        "Nome,Sobrenome,Número de identificação,Endereço de email\nJane,Doe,jdoe,j@example.org\n".encode(),
        b"Name;Vorname;Matrikelnummer\nDoe;Jane;jdoe\n",
        b"Name;Vorname;Matrikelnummer\nDoe, Jane;Jane;jdoe\n",
        # other platforms
        'Last Name\tFirst Name\tUsername\tStudent ID\tAvailability\n"Doe"\t"Jane"\tx\t"jdoe"\tYes\n'.encode("utf-16"),
        b"First Name,Last Name,SID,Email,Sections\nJane,Doe,jdoe,jane@example.org,A\n",
        b"identifier,github_username,github_id,name\njdoe,jane-d,998877,Jane Doe\n",
        b'"Nachname";"Vorname";"Benutzername";"E-Mail"\n"Doe";"Jane";"jdoe";"jane@example.org"\n',
    ],
)
def test_rosters_of_many_kinds_are_read(read, content):
    (student,) = read(content).students
    assert (student.id, student.first_name, student.last_name) == ("jdoe", "Jane", "Doe")


WORKSHEETS = [
    "Identifier,Full name,Email address,Status,Grade\nParticipant 7000,Jane Doe,jane@example.org,,-\n",
    "ID;Vollständiger Name;E-Mail-Adresse;Bewertung\nTeilnehmer/in 7000;Jane Doe;jane@example.org;\n",
    "Identifiant,Nom complet,Adresse de courriel,Note\nParticipant 7000,Jane Doe,jane@example.org,\n",
    "Identificador,Nombre completo,Dirección de correo,Calificación\nParticipante 7000,Jane Doe,jane@example.org,\n",
    "Identificativo,Nome completo,Indirizzo email,Voto\nPartecipante 7000,Jane Doe,jane@example.org,\n",
    "Identificatie,Volledige naam,E-mailadres,Cijfer\nDeelnemer 7000,Jane Doe,jane@example.org,\n",
    "Identificador,Nome completo,Endereço de email,Nota\nParticipante 7000,Jane Doe,jane@example.org,\n",
]


@pytest.mark.parametrize("content", WORKSHEETS)
def test_a_worksheet_of_moodle_knows_people_by_e_mail(read, content):
    """The number of a participant is another one in each assignment: an id to find somebody by, and no more."""
    (student,) = read(content).students
    assert (student.id, student.name, student.known_as["participant"]) == ("jane@example.org", "Jane Doe", "7000")
    assert read(content).with_id("7000") == [student]


def test_canvas_gradebook_is_a_roster(read):
    content = "Student,ID,SIS User ID,SIS Login ID,Section\n,,,,Manual Posting\n    Points Possible,,,,\n"
    content += '"Doe, Jane",1000,u77,jdoe,A\n"Student, Test",9999,,abcdef,A\n'
    (student,) = read(content).students
    assert (student.id, student.name) == ("jdoe", "Jane Doe")
    assert student.known_as == {"canvas_id": "1000", "sis_id": "u77", "sis_login": "jdoe"}


def test_a_column_of_ids_that_is_empty_is_none(read):
    roster = read("First name,Last name,ID number,Email address\nJane,Doe,,jane@example.org\nBo,Ek,,bo@example.org\n")
    assert [student.id for student in roster.students] == ["jane@example.org", "bo@example.org"]
    assert "'ID number' of the roster is empty" in roster.notes[0] and "'Email address'" in roster.notes[0]


def test_who_has_no_id_is_named(read):
    roster = read("id,name\njdoe,Jane Doe\n,Bo Ek\n,\n,Ann Lee\n")
    assert [student.id for student in roster.students] == ["jdoe"]
    assert roster.notes == ("Bo Ek, Ann Lee are left out: nothing under 'id'.",)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "no column for the id.*none, it is empty"),
        ("colour\nred\n", "no column for the id.*colour"),
        ("Nr albumu,Imię\n7,Jan\n", "Its columns are: Nr albumu, Imię"),
        ("s0001,Jane Doe\ns0002,Bo Ek\n", "no column for the id"),
        ("id\nanna\nANNA\n", "the id anna twice, first in line 2"),
        ("id\n12345\n12345.0\n", "twice"),
        ("id,email,name\n,,Jane Doe\n", "names nobody.*'id', 'email'"),
        ("id,name\n", "names nobody"),
        ("id,name\n1.23457E+11,Jane Doe\n", "line 2: Excel has cut"),
    ],
)
def test_a_bad_roster_is_refused(read, content, problem):
    with pytest.raises(GradingError, match=problem):
        read(content)


def test_a_missing_roster_is_refused(tmp_path):
    with pytest.raises(GradingError, match="cannot be read"):
        read_roster(tmp_path / "nowhere.csv")


# --- ids ---


@pytest.mark.parametrize(
    ("written", "folder"),
    [
        ("s0001", "s0001"),
        ("mei+dl@example.org", "mei-dl@example.org"),
        ("UNI\\mnowak", "UNI-mnowak"),
        ("12 345", "12-345"),
        ("#12345678", "12345678"),
        ("müller", "muller"),
        ("../etc", "etc"),
    ],
)
def test_an_id_of_a_school_has_a_folder_and_stays_as_it_is(read, written, folder):
    (student,) = read(f"id,name\n{written},Jane Doe\n").students
    assert (student.id, student.school_id) == (folder, written)
    assert read(f"id,name\n{written},Jane Doe\n").with_id(written) == [student]


def test_the_signs_that_brightspace_puts_before_ids_are_none_of_the_schools(read):
    rows = "#s1,#mnowak,Nowak,Mei,mei@example.org,,#\n#s2,#bek,Ek,Bo,bo@example.org,,#\n"
    header = f"OrgDefinedId,Username,Last Name,First Name,Email,{NAME} Points Grade,End-of-Line Indicator\n"
    mei, bo = read(header + rows).students
    assert (mei.id, mei.school_id, mei.known_as["login"], bo.school_id) == ("s1", "s1", "mnowak", "s2")


IDS = st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=8)


@given(IDS)
def test_folders_are_safe_and_one_for_each(ids):
    names = folder_names(ids)
    assert all(STUDENT.fullmatch(name) for name in names.values())
    assert len({name.casefold() for name in names.values()}) == len(ids)
    assert names == folder_names(reversed(ids))


def test_ids_that_would_share_a_folder_get_two(read):
    first, second, third = read("id,name\na-b,X\na b,Y\na+b,Z\n").students
    assert first.id == "a-b" and len({first.id, second.id, third.id}) == 3


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ("0012345", "12345"),
        ("12345", "0012345"),
        ("12345.0", "12345"),
        ("#12345", "12345"),
        ("UNI\\jdoe", "jdoe"),
        ("jdoe@example.org", "jdoe"),
        ("12 345", "12345"),
    ],
)
def test_what_programs_do_to_an_id_hides_nobody(read, listed, asked):
    roster = read(f"id,name\n{listed},Jane Doe\nbo,Bo Ek\n")
    assert [student.name for student in roster.with_id(asked)] == ["Jane Doe"]


def test_an_id_as_it_is_comes_before_what_is_left_of_anothers(read):
    roster = read("id,name\n0012345,Jane Doe\n12345,Bo Ek\n7@example.org,Ann Lee\n")
    assert [student.name for student in roster.with_id("12345")] == ["Bo Ek"]
    assert [student.name for student in roster.with_id("0012345")] == ["Jane Doe"]
    assert len(roster.with_id("00012345")) == 2  # which of the two, nobody can say


def test_a_name_is_not_the_login_that_it_resembles(read):
    roster = read("login,name\njofry,Jo Fry\nfry2,Jo Fry\n")
    assert roster.with_id("Jo Fry") == [] and len(roster.with_name("Jo Fry")) == 2


# --- a class and its next roster ---


def test_a_class_keeps_its_people(read, classroom):
    assert kept(classroom) is None
    roster = read("id,name,email,canvas_id,group\nUNI\\mei,Mei Nowak,mei@example.org,1000,A\n")
    assert keep(roster, classroom).first
    (student,) = kept(classroom).students
    assert student == roster.students[0] and student.known_as == roster.students[0].known_as


def test_who_came_went_or_changed_is_said(read, classroom):
    keep(read("id,name,email\n1,Mei Nowak,mei@x.org\n2,Bo Ek,bo@x.org\n3,Ann Lee,a@x.org\n"), classroom)
    changes = keep(read("id,name,email\n1,Mei Nowak-Ek,mei@x.org\n3,Ann Lee,\n4,Jo Fry,jo@x.org\n"), classroom)
    assert list(changes.sentences()) == [
        "came since the last roster: Jo Fry (4)",
        "went since the last roster: Bo Ek (2)",
        "changed: Mei Nowak (1): last name 'Nowak' is now 'Nowak-Ek'",
    ]
    people = {student.id: student for student in kept(classroom).students}
    assert [one for one in people if people[one].gone] == ["2"]
    assert people["3"].email == "a@x.org"  # the new roster is silent on it
    changes = keep(read("id,name\n1,Mei Nowak-Ek\n2,Bo Ek\n3,Ann Lee\n4,Jo Fry\n"), classroom)
    assert list(changes.sentences()) == ["came back since the last roster: Bo Ek (2)"]
    assert not any(student.gone for student in kept(classroom).students)


def test_lists_of_several_platforms_make_one_class(read, classroom):
    """Each adds the ids that it knows; folder and school's id stay those that they were."""
    keep(read("id,name,email,canvas_id\ns1,Mei Nowak,mei@example.org,1000\ns2,Bo Ek,bo@example.org,1001\n"), classroom)
    canvas = 'Student,ID,SIS User ID,SIS Login ID,Section\n"Nowak, Mei",1000,u77,mnowak,A\n"Ek, Bo",1001,u78,bek,A\n'
    for content in (canvas, "Full name,Email address\nMei Nowak,mei@example.org\nBo Ek,bo@example.org\n"):
        changes = keep(read(content), classroom)
        assert not list(changes.sentences())
    first = kept(classroom).students[0]
    assert (first.id, first.school_id, first.known_as["sis_login"]) == ("s1", "s1", "mnowak")
    assert first.known_as["canvas_id"] == "1000" and first.email == "mei@example.org"


def test_a_schools_id_among_those_of_canvas_is_the_same_person_if_the_name_is(read, classroom):
    """The school's list and Canvas's, where its ids are the SIS ids and the login comes first; in any order."""
    own = "id,first_name,last_name\ns1,Mei,Nowak\ns2,Omar,de la Cruz\ns3,Bo,Ek\n"
    canvas = "Student,ID,SIS User ID,SIS Login ID,Section\n"
    canvas += '"Nowak, Mei",1000,S1,mnowak,A\n"de la Cruz, Omar",1001,S2,ocruz,A\n"Lee, Ann",1002,s3,alee,A\n'
    keep(read(own), classroom)
    said = list(keep(read(canvas), classroom).sentences())
    assert said == ["came since the last roster: Ann Lee (alee)", "went since the last roster: Bo Ek (s3)"]
    first = kept(classroom).of_folder("s1")
    assert first and (first.school_id, first.known_as["sis_login"]) == ("s1", "mnowak")

    classroom.roster.unlink()
    keep(read(canvas), classroom)
    keep(read(own), classroom)
    cruz = kept(classroom).of_folder("ocruz")
    assert cruz and cruz.school_id == "s2" and not cruz.gone


def test_a_list_of_whole_names_does_not_move_where_a_last_name_begins(read, classroom):
    keep(read("id,first_name,last_name\ns1,Omar,de la Cruz\n"), classroom)
    assert not list(keep(read("Full name,ID number\nOmar de la Cruz,s1\n"), classroom).sentences())
    keep(read("id,first_name,last_name\ns1,Omar de la,Cruz\n"), classroom)  # who says it in two columns means it
    assert kept(classroom).students[0].last_name == "Cruz"


def test_who_comes_and_goes_by_one_name_is_said(read, classroom):
    keep(read("id,name\ns1,Mei Nowak\ns2,Bo Ek\n"), classroom)
    said = list(keep(read("login,name\nmnowak,Mei Nowak\nalee,Ann Lee\n"), classroom).sentences())
    assert said[-1].startswith("came and went by the same name: Mei Nowak. ")


def test_a_student_number_replaces_an_e_mail_and_the_folder_stays(read, classroom):
    keep(read("name,email\nMei Nowak,mei@example.org\n"), classroom)
    changes = keep(read("id,name,email\ns1,Mei Nowak,mei@example.org\n"), classroom)
    (student,) = kept(classroom).students
    assert (student.id, student.school_id) == ("mei@example.org", "s1")
    assert "id 'mei@example.org' is now 's1'" in "".join(changes.sentences())


def test_people_who_share_an_e_mail_stay_two(read, classroom):
    content = "id,name,email\n1,Mei Nowak,family@example.org\n2,Jan Nowak,family@example.org\n"
    for _ in range(2):
        keep(read(content), classroom)
        assert [(one.id, one.first_name) for one in kept(classroom).students] == [("1", "Mei"), ("2", "Jan")]


def test_a_newcomer_does_not_get_anothers_folder(read, classroom):
    keep(read("id,name\na b,Mei Nowak\n"), classroom)
    keep(read("id,name\na-b,Bo Ek\na b,Mei Nowak\n"), classroom)
    folders = {student.name: student.id for student in kept(classroom).students}
    assert folders["Mei Nowak"] == "a-b" and folders["Bo Ek"].startswith("a-b-")


def test_who_left_is_found_where_nobody_else_is(read, classroom):
    keep(read("id,name\n1,Mei Nowak\n2,Bo Ek\n"), classroom)
    roster = keep(read("id,name\n3,Mei Nowak\n"), classroom).roster
    assert [student.id for student in roster.with_name("Mei Nowak")] == ["3"]
    assert [student.id for student in roster.with_name("Bo Ek")] == ["2"]


@pytest.mark.parametrize("content", ["", "{}", '{"students": [{"name": "x"}]}', '{"students": [{"id": "../x"}]}'])
def test_a_damaged_class_list_is_said_and_kept(read, classroom, content):
    classroom.roster.write_text(content)
    for use in (lambda: kept(classroom), lambda: keep(read("id\n1\n"), classroom)):
        with pytest.raises(GradingError, match="is damaged.*reach-grade roster"):
            use()
    assert classroom.roster.read_text() == content


def test_letters_of_any_language_are_readable_in_the_file(read, classroom):
    keep(read("id,name\n1,Zoë 王\n"), classroom)
    assert "Zoë" in classroom.roster.read_text(encoding="utf-8")
    assert json.loads(classroom.roster.read_text(encoding="utf-8"))["students"][0]["last_name"] == "王"


# --- attendance ---


def hand_in(classroom: Classroom, student: str, *members: str) -> None:
    path = classroom.submitted(student, NAME)
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    Receipt("file", members=members).write(classroom.receipt(student, NAME))


def test_who_has_not_handed_in(read, classroom):
    assert not_handed_in(classroom, NAME) == []
    keep(read("id,name\n1,Mei Nowak\n2,Bo Ek\n3,Ann Lee\n4,Jo Fry\n5,Al Abe\n"), classroom)
    keep(read("id,name\n1,Mei Nowak\n2,Bo Ek\n3,Ann Lee\n4,Jo Fry\n"), classroom)
    hand_in(classroom, "3", "3", "4")  # a group of two
    assert [str(student) for student in not_handed_in(classroom, NAME)] == ["Bo Ek (2)", "Mei Nowak (1)"]
    assert [student.id for student in not_handed_in(classroom, "02_cnn_on_mnist")] == ["2", "4", "3", "1"]


def test_a_student_without_a_name_is_called_by_the_id():
    assert str(Student("ada", "UNI\\ada")) == "UNI\\ada"


# --- a year ---


def test_an_id_that_changes_twice_finds_the_student_by_each(read, classroom):
    for an_id in ("a b", "X-2", "Y-2"):
        keep(read(f"id,name,email\n{an_id},Bo Ek,bo@x.org\n3,Ann Lee,ann@x.org\n"), classroom)
    roster = kept(classroom)
    (bo,) = roster.with_id("Y-2")
    assert (bo.id, bo.school_id, bo.gone) == ("a-b", "Y-2", False)
    assert roster.with_id("X-2") == roster.with_id("a b") == [bo]
    roster = keep(
        read("id,name,email\nY-2,Bo Ek,bo@x.org\n3,Ann Lee,ann@x.org\nX-2,Jo Fry,jo@x.org\n"), classroom
    ).roster
    assert [one.name for one in roster.with_id("X-2")] == ["Jo Fry"], "who has an id goes before who had it"


def test_a_student_who_comes_back_under_another_id_is_asked_about(read, classroom):
    for people in ("1,Mei Nowak\n2,Bo Ek\n", "1,Mei Nowak\n"):
        keep(read(f"id,name\n{people}"), classroom)
    said = list(keep(read("id,name\n1,Mei Nowak\n7,Bo Ek\n"), classroom).sentences())
    assert said[-1].startswith("came and went by the same name: Bo Ek. ")


def test_the_lists_of_two_sections_are_one_class(tmp_path, classroom):
    (tmp_path / "a.csv").write_text("id,name,section\n1,Mei Nowak,A\n2,Bo Ek,A\na b,Ann Lee,A\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("name;login;section\nJo Fry;a-b;B\nBo Ek;2;B\n", encoding="utf-8")
    roster = read_rosters([tmp_path / "a.csv", tmp_path / "b.csv"])
    groups = {student.school_id: student.group for student in roster.students}
    assert groups == {"1": "A", "2": "A, B", "a b": "A", "a-b": "B"}
    assert len({student.id for student in roster.students}) == 4
    keep(roster, classroom)
    assert not list(keep(read_rosters([tmp_path / "b.csv", tmp_path / "a.csv"]), classroom).sentences())


def test_the_list_of_one_section_alone_is_asked_about(read, classroom):
    keep(read("id\n" + "".join(f"{number}\n" for number in range(20))), classroom)
    said = list(keep(read("id\n1\n2\n3\n"), classroom).sentences())
    assert said[-1] == (
        "17 went and 3 stayed. If this is the list of one section alone, give those of all of them at once, one file "
        "after the other."
    )
    keep(read("id\n" + "".join(f"{number}\n" for number in range(20))), classroom)
    said = list(keep(read("id\n" + "".join(f"{number}\n" for number in range(16))), classroom).sentences())
    assert len(said) == 1, "that a few leave is no question"


def test_a_login_that_is_an_address_is_where_to_write(tmp_path):
    header = "Student,ID,SIS User ID,SIS Login ID,Section"
    rows = ['"Nowak, Mei",1000,u77,mei@example.org,A', '"Ek, Bo",1001,u78,bek,A']
    (tmp_path / "canvas.csv").write_text("\n".join([header, *rows]))
    assert [one.email for one in read_roster(tmp_path / "canvas.csv").students] == ["mei@example.org", ""]
