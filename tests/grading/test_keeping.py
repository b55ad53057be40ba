"""A year in one file: all that was there is there again, or nothing is; damage and tricks are seen."""

import hashlib
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import tracemalloc
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from grading.classroom import Classroom
from grading.exchange.roster import keep, read_roster
from grading.gradebook.book import Book
from grading.gradebook.config import write_nbgrader_config
from grading.keeping.configuration import OWN_DATABASE, without_database
from grading.keeping.packing import pack
from grading.keeping.passwords import scrub_json, scrub_python, scrub_text
from grading.keeping.restoring import unpack
from grading.lock import class_lock
from grading.problems import GradingError
from grading.receipt import Receipt
from tests.grading.school import NAME, RIGHT, School, contents
from tests.postgresql import postgresql  # noqa: F401  (a fixture)


def year(root: Path, database: str = "") -> School:
    """A class with something of everything."""
    school = School(root)
    if database:
        school.classroom.gradebook.unlink()
        write_nbgrader_config(root, database)
    (root / "roster.csv").write_text("id,name\nada,Ada Çelik\nbo,小雨 王\n", encoding="utf-8")
    with Book(school.classroom) as book:
        book.enrol_class(keep(read_roster(root / "roster.csv"), school.classroom).roster)
        book.register(school.assignment)
        for student in ("ada", "bo"):
            school.hand_in(student, school.notebook(RIGHT), "2026-03-01 10:00:00 UTC")
            Receipt("x.ipynb", submitted="2026-03-01T10:00:00+00:00").write(school.classroom.receipt(student, NAME))
            graded = school.graded(student, passed=student == "ada")
            book.record(graded, school.notebook(RIGHT, quiz="c"))
            graded.write(school.classroom.result(student, NAME))
    school.classroom.batch(NAME).write_text(json.dumps({"seed": 2**100 + 1, "finished": True}))
    (root / "late_policy.py").write_text("# our own\n")
    for left in (".grading.lock", "__pycache__/late_policy.pyc", ".ipynb_checkpoints/x.ipynb"):
        (root / left).parent.mkdir(exist_ok=True)
        (root / left).write_text("left by tools")
    os.utime(school.classroom.result("bo", NAME), (1_700_000_000, 1_700_000_000))
    return school


@pytest.fixture
def school(tmp_path) -> School:
    return year(tmp_path / "class")


@pytest.fixture
def packed(school, tmp_path) -> Path:
    return pack(school.classroom, tmp_path / "year.zip").path


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_all_of_a_class_comes_back(school, packed, tmp_path):
    restored = unpack(packed, Classroom(tmp_path / "there"))
    before, after = files(school.classroom.root), files(tmp_path / "there")
    assert {"ARCHIVE.txt", "archive.json", "archive.sha256", "nbgrader_config.py"} == set(after) - set(before)
    assert set(before) - set(after) == {
        ".grading.lock",
        ".ipynb_checkpoints/x.ipynb",
        "__pycache__/late_policy.pyc",
    }
    assert all(after[name] == before[name] for name in set(before) & set(after) - {"gradebook.db"})
    assert contents(f"sqlite:///{tmp_path / 'there/gradebook.db'}") == contents(
        f"sqlite:///{school.classroom.gradebook}"
    )
    assert restored.about["assignments"][NAME] == {
        "submissions": 2,
        "results": 2,
        "batch": {"seed": str(2**100 + 1), "finished": True},
    }
    assert restored.about["packages"]["torch"] and restored.about["python"]
    there = Classroom(tmp_path / "there")
    assert there.result("bo", NAME).stat().st_mtime == 1_700_000_000, "pages say when it was graded"
    with Book(there) as book:
        assert [score.points for score in book.scores(NAME)] == [1, 0]


def test_a_restored_class_is_archived_again(packed, tmp_path):
    unpack(packed, Classroom(tmp_path / "there"))
    again = pack(Classroom(tmp_path / "there"), tmp_path / "again.zip")
    with zipfile.ZipFile(packed) as one, zipfile.ZipFile(again.path) as other:
        assert one.namelist() == other.namelist()


def test_the_same_class_gives_the_same_bytes_in_a_fixed_order(school, packed, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    other = pack(school.classroom, tmp_path / "other.zip")
    assert other.path.read_bytes() == packed.read_bytes()
    assert other.sha256 == hashlib.sha256(packed.read_bytes()).hexdigest()
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
    assert names[0] == "ARCHIVE.txt" and names[1:-2] == sorted(names[1:-2])


def test_any_unzip_and_sha256sum_will_do(packed, tmp_path):
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "by hand")
        text = archive.read("ARCHIVE.txt").decode()
    check = ["sha256sum", "--check", "--quiet", "--strict", "archive.sha256"]
    subprocess.run(check, cwd=tmp_path / "by hand", check=True)
    assert f"{NAME}: 2 submissions, 2 graded, seed {2**100 + 1}" in text and "torch" in text
    assert "pages.key" in text and "mail.csv" in text


def test_private_checks_are_kept_where_they_are_given(school, tmp_path):
    (tmp_path / "private").mkdir()
    (tmp_path / "private/lesson_01.py").write_text("# mine\n")
    unpack(pack(school.classroom, tmp_path / "year.zip", tmp_path / "private").path, Classroom(tmp_path / "there"))
    assert (tmp_path / "there/private_checks/lesson_01.py").read_text() == "# mine\n"


def test_no_link_is_followed(school, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/secret").write_text("secret")
    (school.classroom.root / "report").mkdir()
    (school.classroom.root / "report/link.html").symlink_to(tmp_path / "secret")
    (school.classroom.root / "report/folder").symlink_to(tmp_path / "folder")
    os.mkfifo(school.classroom.root / "report/pipe")
    done = pack(school.classroom, tmp_path / "year.zip")
    assert done.left_out == ["report/folder", "report/link.html", "report/pipe"]
    with zipfile.ZipFile(done.path) as archive:
        assert not [name for name in archive.namelist() if name.startswith("report")]


# --- a database ---


def test_a_gradebook_on_a_server_becomes_a_file_and_its_password_stays_out(tmp_path, postgresql):  # noqa: F811
    url = postgresql.database()
    school = year(tmp_path / "class", url)
    with Book(school.classroom) as book, book.writing() as gradebook:
        gradebook.find_submission(NAME, "ada").extension = timedelta(days=3)
    there = Classroom(tmp_path / "there")
    packed = pack(school.classroom, tmp_path / "year.zip").path
    restored = unpack(packed, there)
    assert restored.about["database"] == "postgresql"
    with Book(there) as book:
        assert contents(book.url)["submissions"] == contents(url)["submissions"] and book.url.startswith("sqlite")
        with book.writing() as gradebook:
            assert gradebook.find_submission(NAME, "ada").extension == timedelta(days=3)
    assert not any(b"s3cret" in content for content in files(there.root).values())
    assert pack(school.classroom, tmp_path / "other.zip").path.read_bytes() == packed.read_bytes()


URL = "postgresql://reach:s3cret@db/x"


@pytest.mark.parametrize(
    ("config", "instead"),
    [
        (f"c.CourseDirectory.db_url = '{URL}'\nc.X.y = 1\n", "c.CourseDirectory.db_url = …\nc.X.y = 1\n"),
        (
            "if c: c.Ä.db_url = (\n    's3cret'\n    '2'\n); c.X.y = 1\n",
            "if c: c.Ä.db_url = (\n    …\n); c.X.y = 1\n",
        ),
        ("# a\x0cb\nc.A.db_url = 's3cret'\nc.X.y = 1", "# a\x0cb\nc.A.db_url = …\nc.X.y = 1\n"),
        ("c['A']['db_url']: str = 's3cret'\n", "c['A']['db_url']: str = …\n"),
        (f"U = '{URL}'\nc.A.db_url = U\n", "U = 'postgresql://reach:***@db/x'\nc.A.db_url = …\n"),
        (f"# c.A.db_url = '{URL}'\n", "# c.A.db_url = 'postgresql://reach:***@db/x'\n"),
        (f"c.A.update(db_url='{URL}')\n", "c.A.update(db_url='postgresql://reach:***@db/x')\n"),
        ("environ['PGPASSWORD'] = 's3cret'  # s3cret\n", "environ['PGPASSWORD'] = '***'  # ***\n"),
        ("d = '''x\n password=s3cret y'''; s3cret = 's3cret2'\n", "d = '''x\n password=*** y'''; s3cret = 's3cret2'\n"),
        ("c.X.y = '/home/s3cret/z'  # s3cret.z\n", "c.X.y = '/home/s3cret/z'  # s3cret.z\n"),
    ],
)
def test_a_configuration_loses_the_database_and_its_password_alone(config, instead):
    text = without_database(config, ["s3cret", ""])
    assert text == instead.replace("…", '"sqlite:///gradebook.db"') + OWN_DATABASE
    assert without_database(text, ["s3cret"]) == text


def test_what_is_no_python_loses_passwords_in_urls():
    assert without_database(f"no Python (( '{URL}'") == "no Python (( 'postgresql://reach:***@db/x'"


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("nbgrader_config.py", "c.CourseDirectory.db_url = URL"),
        ("nbgrader_config.py", "c['CourseDirectory']['db_url'] = URL"),
        ("nbgrader_config.py", "c.CourseDirectory.update(db_url=URL)"),
        ("nbgrader_config.py", "setattr(c.CourseDirectory, 'db_url', URL)"),
        ("nbgrader_config.json", '{"CourseDirectory": {"db_url": "URL"}}'),
    ],
)
def test_a_restored_class_never_has_the_gradebook_of_the_school(school, tmp_path, name, config):
    """However the configuration names it."""
    live, root = tmp_path / "live.db", school.classroom.root
    shutil.copy(school.classroom.gradebook, live)
    url = f"sqlite:///{live}"
    text = config.replace("URL", url) if name.endswith("json") else f"c = get_config()\nURL = {url!r}\n{config}\n"
    (root / name).write_text(text)
    with Book(school.classroom) as book:
        assert book.url == url
    there = Classroom(tmp_path / "there")
    unpack(pack(school.classroom, tmp_path / "year.zip").path, there)
    with Book(there) as book:
        assert book.url == f"sqlite:///{there.gradebook}"


def test_a_password_in_another_file_of_settings_stays_out(school, tmp_path):
    (school.classroom.root / "late_policy.py").write_text(f"URL = {URL!r}\n")
    unpack(pack(school.classroom, tmp_path / "year.zip").path, Classroom(tmp_path / "there"))
    assert (tmp_path / "there/late_policy.py").read_text() == "URL = 'postgresql://reach:***@db/x'\n"


IN_CODE = [
    "c.CourseDirectory.db_url = 'postgresql://me:hunter2@' + os.environ['HOST']",
    "c.CourseDirectory.db_url = f'postgresql://me:hunter2@{host}/x'",
    "base = 'postgresql://me:' + 'hunt' + 'er2' + '@' + host",
    "base = 'postgresql://me:hunt' \\\n    'er2@db/x'",
    "base = ('postgresql://me:'\n  'hunter2'\n  '@db/x')",
    "base = ''.join(['postgresql://me:', 'hunter2', '@db'])",
    "base = 'postgresql://%s:%s@db' % ('me', 'hunter2')",
    "base = 'postgresql://{}:{}@db'.format('me', 'hunter2')",
    'base = "postgresql://me:it\'s-hunter2@db/x"',
    "base = f\"postgresql://{os.environ['U']}:hunter2@db\"",
    "base = 'postgresql://db/x?user=me&password=hunter2&sslmode=require'",
    "base = b'postgresql://me:\\x68unter2@db'",
    "dsn = 'host=db user=me password=hunter2'",
    "dsn = 'host=db user=me password = \\'hunter2\\''",
    "pgpass = 'db:5432:x:me:hunter2'",
    "SMTP_PASSWORD = 'hunter2'",
    "user, password = 'me', 'hunter2'",
    "mail = dict(user='me', password='hunter2')",
    "mail = {'user': 'me', \"smtp_pass\": 'hunter2'}",
    "os.environ['PGPASSWORD'] = 'hunter2'",
    "os.environ.setdefault('MAIL_PW', 'hunter2')",
    "pw = os.environ.get('PW', 'hunter2')",
    "setattr(c.Mailer, 'password', 'hunter2')",
    "c.Mailer.password = 'hun' + 'ter2'",
    "c.Mailer.password: str = (\n    'hunter2'\n)",
    "class Mail:\n    smtpPassword = 'hunter2'",
    "def connect(user, password='hunter2'): pass",
    'import smtplib\nsmtp.login(user=\'me\', password="""hunter2""")',
    "if (pw := 'hunter2'): pass",
    "c.Mailer.api_key = 'hunter2'",
    "x = 1  # password: hunter2",
    "# c.CourseDirectory.db_url = 'postgresql://me:hunter2@db/x'",
    "# c.CourseDirectory.db_url = 'postgresql://me:' + 'hunter2' + '@db/x'",
    "# c.CourseDirectory.db_url = (\n#     'postgresql://me:'\n#     'hunter2@db/x'\n# )",
    "# c.CourseDirectory.db_url = 'postgresql://me:' \\\n#     'hunter2@db/x'",
    "# c.CourseDirectory.db_url = ('postgresql://me:'\n#   never finished hunter2",
    "# smtp password = hunter2",
    "#c.Mailer.password='hunter2'",
    "import smtplib\nsmtp.login('me', 'hunter2')",
    "headers = {'Authorization': 'Bearer hunter2'}",
    "os.system('psql --password hunter2')",
]


@pytest.mark.parametrize("line", IN_CODE)
def test_no_password_in_a_configuration_is_kept(school, tmp_path, line):
    path = school.classroom.root / "nbgrader_config.py"
    path.write_text(
        f"import os\nhost, late = 'db', 3\nif False:\n    {line.replace(chr(10), chr(10) + '    ')}\n    pass\n"
    )
    pack(school.classroom, tmp_path / "year.zip")
    text = packed_text(tmp_path / "year.zip", path.name)
    assert "hunt" not in text and "er2" not in text and "x68" not in text
    assert "late = 'db', 3" in text and compile(text, path.name, "exec")


INNOCENT = """import getpass, os
password = os.environ["PGPASSWORD"]
password = os.environ.get("PGPASSWORD", "")
password = getpass.getpass("The password: ")
url = f"postgresql://{user}:{password}@db/x"
url = "postgresql://me:" + password + "@db/x"
compass, passed, tokens, next_token = "north", "yes", ["a", "b"], "the"
message = f"You have {passed} points: see https://example.org/a:b or write to mei@example.org."
c.Mailer.password = ""
# Passwords are in the safe. Ask Mei (mei@example.org).
# Points: 3
server.login(user, password)
parser.add_argument("--password", help="the password is asked for where it is missing")
"""


def test_what_is_no_password_stays():
    assert scrub_python(INNOCENT, ["hunter2"]) == INNOCENT
    settings = "points = 3\n[mail]\nuser = me\nurl = https://example.org/x\n"
    assert scrub_text(settings) == settings and scrub_json('{"points":  3}') == '{"points":  3}'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mail.ini", "[mail]\nuser = me\npassword = hunter2\nlate = 3\n"),
        ("mail.cfg", "password = \\\n hunter2\nlate = 3\n"),
        ("mail.yaml", "mail:\n  password: >\n    hunter2\nlate: 3\n"),
        ("mail.toml", "late = 3\nsmtp-password = 'hunter2'\n"),
        ("mail.json", '{"late": 3, "mail": {"password": "hunter2"}}'),
        ("nested.json", '{"late": 3, "password": {"value": ["hunter2"]}}'),
        ("mail.xml", "<late/><smtp_password> hunter2 </smtp_password>"),
        ("header.txt", "late\nAuthorization: Basic hunter2\n"),
        ("run.sh", "late\n--password hunter2\n"),
        ("broken.json", '{"late": 3, "password": "hunter2"'),
        ("broken.py", "late = (3\nsmtp_password = 'hunter2'\n"),
        ("notes", "late\nmachine db login me password hunter2\n"),
        ("notes.txt", "late\ndb:5432:x:me:hunter2\n"),
        ("start.sh", "late=3\nexport PGPASSWORD=hunter2\n"),
        ("mine/deep/mail.ini", "late = 3\npassword = hunter2\n"),
        ("url.txt", "late\npostgresql://me:hunter2@db/x\n"),
    ],
)
def test_no_password_in_another_file_is_kept(school, tmp_path, name, content):
    path = school.classroom.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    pack(school.classroom, tmp_path / "year.zip")
    text = packed_text(tmp_path / "year.zip", name)
    assert "hunter2" not in text and "late" in text


@pytest.mark.parametrize(
    "name", ["db.env", "pgpass", "pgpass.conf", "old_pgpass.txt", "my.cnf", "mine/id_rsa", "x.pem"]
)
def test_a_file_that_is_made_for_passwords_is_left_out_and_named(school, tmp_path, name):
    (school.classroom.root / name).parent.mkdir(exist_ok=True)
    (school.classroom.root / name).write_text("hunter2")
    school.classroom.pages_key.write_text("0" * 64)
    packed = pack(school.classroom, tmp_path / "year.zip")
    with zipfile.ZipFile(packed.path) as archive:
        assert name not in archive.namelist() and "pages.key" in archive.namelist()
    assert packed.left_out == [name]


def test_nobody_else_on_the_machine_reads_an_archive_or_the_url_of_a_database(school, packed, tmp_path):
    config = write_nbgrader_config(tmp_path / "other", "postgresql+psycopg://me:hunter2@db/x")
    assert packed.stat().st_mode & 0o777 == config.stat().st_mode & 0o777 == 0o600


def packed_text(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()


# --- what goes wrong ---


def test_an_archive_does_not_hold_itself_and_is_whole_or_not_there(school, tmp_path, monkeypatch):
    with pytest.raises(GradingError, match="lies in the class's folder"):
        pack(school.classroom, school.classroom.root / "year.zip")
    with pytest.raises(GradingError, match="is no folder of a class"):
        pack(Classroom(tmp_path), tmp_path / "year.zip")
    with class_lock(school.classroom), pytest.raises(GradingError, match="Another run"):
        pack(school.classroom, tmp_path / "year.zip")
    (tmp_path / "year.zip").write_text("last week's")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grading.keeping.packing._write_file", full)
    with pytest.raises(OSError, match="No space"):
        pack(school.classroom, tmp_path / "year.zip")
    assert (tmp_path / "year.zip").read_text() == "last week's"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class", "year.zip"]


@pytest.mark.parametrize("name", ["file", "folder", "link"])
def test_nothing_is_overwritten(packed, tmp_path, name):
    there = tmp_path / "there"
    if name == "file":
        there.write_text("mine")
    elif name == "folder":
        there.mkdir()
        (there / "mine").write_text("mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        there.symlink_to(tmp_path / "elsewhere")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(GradingError, match="is there already"):
        unpack(packed, Classroom(there))
    assert sorted(tmp_path.rglob("*")) == before


def changed(packed: Path, tmp_path: Path, change) -> Path:
    """The archive written anew, where `change` has changed the list of (name, content) or of ZipInfo."""
    with zipfile.ZipFile(packed) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(tmp_path / "changed.zip", "w") as archive:
        for name, content in change(members):
            archive.writestr(name, content)
    return tmp_path / "changed.zip"


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


RESULT = f"results/{NAME}/ada.json"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda all_: [(n, c.replace(b"1.0", b"9.0") if n == RESULT else c) for n, c in all_], "another checksum"),
        (lambda all_: [(n, c) for n, c in all_ if n != RESULT], f"differ in '{RESULT}'"),
        (lambda all_: [*all_, ("late_policy2.py", b"import os")], "differ in 'late_policy2.py'"),
        (lambda all_: [*all_, (RESULT, b"{}")], f"differ in '{RESULT}'"),
        (lambda all_: [*all_, ("../../outside", b"x")], "leads out of the archive"),
        (lambda all_: [*all_, ("/tmp/outside", b"x")], "leads out of the archive"),
        (lambda all_: [*all_, ("a\\..\\..\\outside", b"x")], "leads out of the archive"),
        (lambda all_: [*all_, (link("report"), b"/tmp")], "is a link"),
        (lambda all_: [*all_, ("empty/", b"")], "differ in 'empty/'"),
        (lambda all_: [(n, c) for n, c in all_ if n != "archive.sha256"], "is no archive of a class"),
        (lambda all_: [("x.ipynb", b"{}")], "is no archive of a class"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_was_changed_is_seen_and_nothing_is_restored(packed, tmp_path, change, said):
    source = changed(packed, tmp_path, change)
    with pytest.raises(GradingError, match=said.replace("[", r"\[")):
        unpack(source, Classroom(tmp_path / "there"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["changed.zip", "class", "year.zip"]


def _sums_too(name: str):
    """A change by somebody who writes the checksums anew."""

    def change(members):
        sums = "".join(f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in [*members[:-1], (name, b"x")])
        return [*members[:-1], (name, b"x"), ("archive.sha256", sums)]

    return change


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "C:/outside", "a/../../outside"])
def test_a_name_that_leads_out_is_refused_where_the_checksums_know_it(packed, tmp_path, name):
    with pytest.raises(GradingError, match="leads out"):
        unpack(changed(packed, tmp_path, _sums_too(name)), Classroom(tmp_path / "there"))
    assert not (tmp_path / "there").exists() and not (tmp_path / "outside").exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "missing"])
def test_damage_is_said(packed, tmp_path, damage):
    content = bytearray(packed.read_bytes())
    if damage == "cut":
        packed.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 3] ^= 0xFF
        packed.write_bytes(content)
    elif damage == "text":
        packed.write_text("no zip")
    else:
        packed.unlink()
    with pytest.raises(GradingError, match="damaged|another checksum|does not exist"):
        unpack(packed, Classroom(tmp_path / "there"))
    assert not (tmp_path / "there").exists()


def saying(packed: Path, tmp_path: Path, change) -> Path:
    """The archive with another `archive.json`, and its checksum."""

    def other(members):
        facts = json.dumps(change(json.loads(dict(members)["archive.json"]))).encode()
        ours = [(n, facts if n == "archive.json" else c) for n, c in members[:-1]]
        sums = "".join(f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in ours)
        return [*ours, ("archive.sha256", sums.encode())]

    return changed(packed, tmp_path, other)


def test_an_archive_of_a_newer_course_is_left_alone(packed, tmp_path):
    with pytest.raises(GradingError, match="newer version"):
        unpack(saying(packed, tmp_path, lambda facts: facts | {"format": 2}), Classroom(tmp_path / "there"))


@pytest.mark.parametrize(
    "change",
    [
        lambda _: [],
        lambda _: {"format": 1},
        lambda facts: {key: value for key, value in facts.items() if key != "database"},
        lambda facts: facts | {"modified": {}},
        lambda facts: facts | {"modified": facts["modified"] | {"../../outside": 1}},
        lambda facts: facts | {"modified": facts["modified"] | {"no such": 1}},
        lambda facts: facts | {"modified": dict.fromkeys(facts["modified"], "yesterday")},
        lambda facts: facts | {"modified": dict.fromkeys(facts["modified"], 10**30)},
    ],
)
def test_what_an_archive_says_of_itself_is_not_believed(packed, tmp_path, change):
    """Times are given to what was unpacked, and to no other file."""
    outside = tmp_path / "outside"
    outside.write_text("mine")
    os.utime(outside, (1_700_000_000, 1_700_000_000))
    with pytest.raises(GradingError, match="no archive of a class|not as it was written"):
        unpack(saying(packed, tmp_path, change), Classroom(tmp_path / "there"))
    assert outside.stat().st_mtime == 1_700_000_000 and not (tmp_path / "there").exists()


def test_the_commands(school, tmp_path, reach_grade):
    said = reach_grade("archive", "year.zip", "--class", "class")
    digest = hashlib.sha256((tmp_path / "year.zip").read_bytes()).hexdigest()
    assert "in year.zip" in said and digest in said
    assert "every checksum as it was written" in reach_grade("restore", "year.zip", "--class", "there")
    reach_grade("export", "scores.csv", "--class", "there")
    assert "Çelik" in (tmp_path / "scores.csv").read_text(encoding="utf-8")
    assert "is there already" in reach_grade("restore", "year.zip", "--class", "there", fails=True)


def test_memory_does_not_grow_with_a_file(school, tmp_path):
    """A file that is larger than what may be in memory at once, read and written in pieces."""
    big = school.classroom.root / "submitted/ada/video.bin"
    with big.open("wb") as stream:
        for _ in range(40):
            stream.write(os.urandom(1024 * 1024))
    tracemalloc.start()
    try:
        unpack(pack(school.classroom, tmp_path / "year.zip").path, Classroom(tmp_path / "there"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * 1024**2


def test_a_gradebook_that_is_open_elsewhere_is_kept_as_it_was_committed(school, tmp_path):
    with sqlite3.connect(school.classroom.gradebook) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE student SET first_name = 'half'")
        packed = pack(school.classroom, tmp_path / "year.zip").path
        other.rollback()
    unpack(packed, Classroom(tmp_path / "there"))
    with Book(Classroom(tmp_path / "there")) as book:
        assert {score.first_name for score in book.scores(NAME)} == {"Ada", "小雨"}
