"""Hostile submissions, one file each, graded as any other. A file says in its docstring what it tries.

Most are cells of a notebook: `# %% conv2d` goes into that answer's cell, `# %% own` is a cell of the student's own. All
else in the notebook is as it was handed out, so whatever points come of it are forged. The others make the file that is
handed in, `hand_in(path, released)`, or put members into the archive of a class, `pack(archive, notebook)`.

No attack may gain a point, read a secret, change what another student gets, or leave anything behind; and where its
docstring gives words after "Named:", the report has to say what happened in one of these. "Ends: at a limit" says that
the attack would go on for ever: it gets short limits. "Seconds: 6" is what all of a submission gets. All others get
ample limits, so that no machine, however slow, ends them before they have done their worst.
"""

import contextlib
import importlib.util
import json
import os
import re
import signal
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import nbformat
import psutil
import pytest
from nbgrader.utils import parse_utc

from grading.assignment import Assignment, load_assignment
from grading.classroom import STUDENT, Classroom
from grading.exchange.collecting import TIMESTAMP, collect
from grading.judging import content as work
from grading.judging import session
from grading.judging.content import grade_content
from grading.judging.job import Job, Judged, Rules, Times
from grading.pages.feedback import feedback_page
from grading.pages.render import TEMPLATES
from grading.pages.report import class_page
from grading.results import Graded
from grading.sandbox import NoSandbox, Sandbox, check_available
from grading.sandbox.library import library_of
from grading.submission.parsing import Unreadable, file_bytes
from grading.worker.isolation import Limits

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
LESSONS = ("01_convolution", "02_cnn_on_mnist", "11_tiny_transformer")
CELL = re.compile(r"^# %% (\w+)\n", re.MULTILINE)

SEED = 987_654_321_987
CANARY = "CANARY-" + "OF-THE-TEST"
LEFT = "LEFT-BY-AN-ATTACK"
SECRETS = (CANARY, str(SEED), "LOOT:", "31337", "kernel_flipped")  # of the private check, and of the course's own
RULES = Rules(SEED, Limits(memory_megabytes=700), Times(cell=20, submission=60))  # ample for each but the endless
GROUP = 12  # attacks, after which the neighbour is graded again

PRIVATE = f"""
from utils.checking import Lesson  # {CANARY}

lesson = Lesson("01", __name__)

@lesson.exercise(points=1, hint="none")
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return -1  # no answer passes this, so that an attack may give the right one

@output_size.cases
def _(rng):
    yield 31337, 3, 1, 0, 1
"""


@dataclass(frozen=True)
class Attack:
    """What one file tries, and a word (or one of several) by which the report should name it, if it must."""

    name: str
    text: str

    @property
    def named(self) -> str:
        found = re.search(r"^Named: (.+)$", self.text, re.MULTILINE)
        return found[1] if found else ""

    @property
    def endless(self) -> bool:
        return "\nEnds: at a limit" in self.text

    @property
    def seconds(self) -> float:
        """Of processor time, for all of the submission."""
        found = re.search(r"^Seconds: (\d+)$", self.text, re.MULTILINE)
        return float(found[1]) if found else RULES.times.submission

    @property
    def cells(self) -> list[tuple[str, str]]:
        parts = CELL.split(self.text)
        return list(zip(parts[1::2], parts[2::2], strict=True))

    @property
    def aim(self) -> str:
        """The lesson that has the answers which this attack fills in."""
        answers = {name for name, _ in self.cells} - {"own"}
        return next(one for one in LESSONS if answers <= {task.answer for task in assignment(one).tasks})

    def module(self) -> ModuleType:
        """Of an attack that makes files. One that consists of cells ends here, rather than in the test's process."""
        spec = importlib.util.spec_from_file_location(f"attack_{self.name}", HERE / f"{self.name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def attack_in(path: Path) -> Attack:
    return Attack(path.stem, path.read_text(encoding="utf-8"))


EVERY = [attack_in(path) for path in sorted(HERE.glob("[0-9]*.py"))]
ARCHIVES = [attack for attack in EVERY if "\ndef pack(" in attack.text]
SUBMISSIONS = [attack for attack in EVERY if attack not in ARCHIVES]


@cache
def assignment(lesson: str) -> Assignment:
    return load_assignment(released(lesson))


def released(lesson: str) -> Path:
    return REPOSITORY / "notebooks" / f"{lesson}.ipynb"


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> dict[str, Path]:
    """A class with secrets in it. Every attack is told where it is, and where the course is."""
    classroom, private = tmp_path_factory.mktemp("classroom"), tmp_path_factory.mktemp("private")
    for name in ("gradebook.db", "submitted/other/01_convolution/01_convolution.ipynb", "results/other.json"):
        path = classroom / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CANARY, encoding="utf-8")
    (private / "secret_checks.py").write_text(PRIVATE, encoding="utf-8")
    return {"classroom": classroom, "private": private, "repository": REPOSITORY}


@pytest.fixture(scope="module")
def sandbox(places):
    """One sandbox for the attacks on a lesson, as for a batch, once it hides what they would destroy."""
    kept: dict[frozenset[str] | None, Sandbox] = {}

    def sandbox_for(one: Job) -> Sandbox:
        if one.library not in kept:
            kept[one.library] = every.enter_context(Sandbox(library=one.library))
        return kept[one.library]

    try:
        check_available()
    except NoSandbox as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch, Sandbox() as sandbox, contextlib.ExitStack() as every:
        patch.setenv("REACH_SECRET", CANARY)
        patch.setattr(work, "warm_sandbox", sandbox_for)
        scout = sandbox.start_process(Limits())
        look = f"import os; print(os.path.exists({str(places['classroom'])!r}), os.getuid() == 0)"
        seen = scout.ask({"do": "run", "source": look}, 30)[0]["text"]
        scout.end()
        if seen.split() != ["False", "False"]:
            pytest.exit(f"The sandbox leaks ({seen.strip()}): no attack is run.", 1)
        yield sandbox


class Endless(BaseException):
    """Nothing but the test itself catches this."""


@pytest.fixture(autouse=True)
def in_time():
    """An attack that holds the grader up for ever fails, rather than holding the tests up."""

    def give_up(*_) -> None:
        raise Endless("the batch did not end")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(300)  # many times what an attack takes on a quiet machine
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def grade(lesson: str, path: Path, rules: Rules = RULES) -> Judged:
    """Grade a file as a batch does."""
    try:
        content = file_bytes(path)
    except Unreadable as error:
        content = str(error)
    return grade_content(batch_of(lesson, rules), "attacker", content, "")


def batch_of(lesson: str, rules: Rules = RULES) -> Job:
    source = released(lesson).read_text(encoding="utf-8")
    library = library_of(load_assignment(released(lesson)), [PRIVATE])
    return Job(lesson, source, rules, (("secret_checks.py", PRIVATE),), library=library)


def grade_attack(attack: Attack, path: Path) -> Judged:
    """Grade what an attack has handed in: one that would go on for ever by short limits, so that nobody waits long."""
    if not attack.endless:
        return grade(attack.aim, path, replace(RULES, times=replace(RULES.times, submission=attack.seconds)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "GRACE", 0.25)
        for task in assignment(attack.aim).tasks:
            patch.setattr(task.exercises[0], "seconds", 0.5)
        return grade(attack.aim, path, replace(RULES, times=Times(cell=1, submission=60)))


class Neighbour:
    """Another student, whose result no attack may change. It is looked at once for a group of attacks."""

    def __init__(self, path: Path):
        self.path = path
        self.alone = self.grade()
        self.since: list[tuple[Attack, Path]] = []

    def grade(self) -> tuple[Graded, nbformat.NotebookNode]:
        return without_times(grade(LESSONS[0], self.path))

    def graded_after(self, attack: Attack, submitted: Path) -> None:
        self.since.append((attack, submitted))
        if len(self.since) >= GROUP:
            self.check()

    def check(self) -> None:
        """Fails if the result has changed, and then finds the attack that does this, each in a sandbox of its own."""
        since, self.since = self.since, []
        if since and self.grade() != self.alone:
            found = [attack.name for attack, submitted in since if self.is_changed_by(attack, submitted)]
            names = [attack.name for attack, _ in since]
            pytest.fail(f"another student's result changed: by {found or 'none alone'} of {names}")

    def is_changed_by(self, attack: Attack, submitted: Path) -> bool:
        with pytest.MonkeyPatch.context() as patch, Sandbox() as fresh:
            patch.setattr(work, "warm_sandbox", lambda job: fresh)
            grade_attack(attack, submitted)
            return self.grade() != self.alone


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory, sandbox) -> Iterator[Neighbour]:
    """Has handed in a right answer. The last group of attacks is followed by a look at it too."""
    notebook = json.loads(released(LESSONS[0]).read_text(encoding="utf-8"))
    answer = "return F.conv2d(x[None], weight, bias, stride, padding, dilation)[0]"
    for cell in notebook["cells"]:
        if cell["id"] == "conv2d":
            cell["source"] = re.sub(r"raise NotImplementedError.*", answer, "".join(cell["source"]))
    path = tmp_path_factory.mktemp("neighbour") / "01_convolution.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    neighbour = Neighbour(path)
    yield neighbour
    neighbour.check()


def without_times(done: Judged) -> tuple[Graded, nbformat.NotebookNode]:
    marks = [replace(mark, seconds=0.0) for mark in done.graded.marks]
    return replace(done.graded, marks=marks, seconds=0.0, peak_megabytes=0.0), done.notebook


@pytest.mark.parametrize("attack", SUBMISSIONS, ids=lambda attack: attack.name)
def test_a_submission_gains_nothing(attack, tmp_path, places, neighbour):
    submitted = tmp_path / "attacker" / "01_convolution.ipynb"
    submitted.parent.mkdir()
    hand_in(submitted, attack, places)
    work.warm_sandbox(batch_of(attack.aim)).start_process(Limits()).end()  # of this lesson, so that it runs already
    running, before = processes(), contents(places)

    done = grade_attack(attack, submitted)

    assert done.graded.points == 0
    marks = [vars(mark) | vars(mark.verdict) for mark in done.graded.marks]
    report = json.dumps([done.graded.notes, marks], default=str)
    shown = report + json.dumps([cell.outputs for cell in done.notebook.cells if cell.get("outputs")])
    for secret in SECRETS:
        assert secret not in shown, around(secret, shown)
    assert re.search(attack.named, report), f"not named: {report}"
    assert len(processes()) <= len(running), "something still runs"
    assert contents(places) == before, "the class was changed"
    assert not left_behind(tmp_path), "something was left on the disk"
    check_what_is_published(done, assignment(attack.aim), tmp_path)
    neighbour.graded_after(attack, submitted)


@pytest.mark.parametrize("attack", ARCHIVES, ids=lambda attack: attack.name)
def test_an_archive_reaches_nobody_else(attack, tmp_path):
    classroom = Classroom(tmp_path / "class")
    classroom.released(LESSONS[0]).parent.mkdir(parents=True)
    classroom.released(LESSONS[0]).write_bytes(b"released")
    (classroom.root / "gradebook.db").write_text(CANARY, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "class.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("honest/01_convolution.ipynb", b"honest")
        attack.module().pack(archive, b"hostile")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    packed = datetime.now().astimezone() - timedelta(minutes=5)

    collected = collect(tmp_path / "class.zip", classroom, LESSONS[0])

    beside = (TIMESTAMP, "receipt.json", "attempts.json")
    new = {path for path in tmp_path.rglob("*") if path.is_file() and path.name not in beside} - before
    students = {path.relative_to(classroom.root / "submitted").parts[0] for path in new}
    assert all(map(STUDENT.fullmatch, students))
    assert new == {classroom.submitted(student, LESSONS[0]) for student in students}
    assert classroom.submitted("honest", LESSONS[0]).read_bytes() == b"honest"
    for path in (classroom.root / "submitted").rglob(TIMESTAMP):
        assert parse_utc(path.read_text(encoding="utf-8")) >= parse_utc(packed.isoformat()), "a date of their own"
    assert classroom.released(LESSONS[0]).read_bytes() == b"released"
    assert (classroom.root / "gradebook.db").read_text(encoding="utf-8") == CANARY
    assert re.search(attack.named, str(collected.not_placed)), f"not named: {collected.not_placed}"
    assert not left_behind(tmp_path)


def test_the_neighbour_has_points_to_lose(neighbour):
    assert neighbour.alone[0].points > 0


def test_the_attack_that_changes_another_result_is_found(monkeypatch):
    graded = []

    def fresh() -> contextlib.nullcontext:
        graded.clear()
        return contextlib.nullcontext()

    monkeypatch.setitem(globals(), "Sandbox", fresh)
    monkeypatch.setitem(globals(), "grade_attack", lambda attack, path: graded.append(path.stem))
    monkeypatch.setattr(Neighbour, "grade", lambda self: "leak" in graded)
    neighbour = Neighbour(Path("neighbour"))
    with pytest.raises(pytest.fail.Exception, match=r"by \['leak'\] of"):
        for name in ["harmless"] * (GROUP - 2) + ["leak", "harmless"]:
            graded.append(name)
            neighbour.graded_after(replace(SUBMISSIONS[0], name=name), Path(name))
    assert not neighbour.since


def test_every_attack_says_what_it_tries():
    assert len(EVERY) >= 60
    for attack in EVERY:
        assert re.match(r'"""[A-Z].*\.\n?', attack.text), attack.name


def hand_in(path: Path, attack: Attack, places: dict[str, Path]) -> None:
    if attack.cells:
        nbformat.write(with_cells(attack, places), path)
    else:
        attack.module().hand_in(path, json.loads(released(LESSONS[0]).read_text(encoding="utf-8")))


def with_cells(attack: Attack, places: dict[str, Path]) -> nbformat.NotebookNode:
    """The released notebook with the attack's cells in it, which are told where on this machine everything is."""
    notebook = nbformat.from_dict(assignment(attack.aim).notebook)
    by_name = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}
    first = next(index for index, cell in enumerate(notebook.cells) if cell.id in by_name)
    own = []
    for name, source in [*attack_in(HERE / "prelude.py").cells, *attack.cells]:
        for word, place in places.items():
            source = source.replace(f"/the/{word}", str(place))
        if name == "own":
            own.append(nbformat.v4.new_code_cell(source))
        else:
            by_name[name].source = source
    notebook.cells[first:first] = own
    return notebook


def check_what_is_published(done: Judged, assignment: Assignment, folder: Path) -> None:
    """The result can be stored and read back, the notebook is valid, and no page runs or loads anything."""
    done.graded.write(folder / "result.json")
    assert Graded.read(folder / "result.json") == done.graded
    nbformat.validate(done.notebook)
    hostile = "<script>alert(1)</script>\u202e"
    for page in (
        feedback_page(done.graded, done.notebook, assignment, {done.graded.student: hostile}),
        class_page([done.graded], assignment).replace(SORT, ""),
    ):
        page.encode()
        Harmless().feed(page)


SORT = f"<script>{(TEMPLATES / 'sort.js').read_text(encoding='utf-8')}</script>"  # ours, allowed by its hash


class Harmless(HTMLParser):
    """Fails on what could run, load or send something."""

    FORBIDDEN = {"script", "iframe", "object", "embed", "base", "form", "input", "link", "frame", "audio", "video"}

    def handle_starttag(self, tag, attributes):
        assert tag not in self.FORBIDDEN, f"<{tag}> in a page"
        for name, value in attributes:
            assert not name.startswith("on"), f"{name} in a page"
            if name in ("href", "src", "action", "xlink:href", "formaction", "srcset"):
                assert re.match(r"#|data:image/png;base64,", value or ""), f"{name}={value} in a page"
            if (tag, name) == ("meta", "http-equiv"):
                assert value.lower() == "content-security-policy"


def around(secret: str, text: str) -> str:
    at = text.index(secret)
    return text[max(at - 200, 0) : at + 500]


def processes() -> set[int]:
    """All below this process, the warm one among them."""
    return {process.pid for process in psutil.Process().children(recursive=True)}


def contents(places: dict[str, Path]) -> dict[str, str]:
    files = [path for name in ("classroom", "private") for path in places[name].rglob("*")]
    return {str(path): path.read_text(encoding="utf-8") if path.is_file() else "" for path in files}


def left_behind(folder: Path) -> list[str]:
    """Files with the name that every attack gives to what it leaves, and sockets of that name."""
    folders = [folder, Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"), Path.home(), Path.cwd(), REPOSITORY]
    found = [str(path) for one in folders for path in one.glob(f"*{LEFT}*")]
    sockets = Path("/proc/net/unix").read_text(encoding="utf-8") if os.path.exists("/proc/net/unix") else ""
    return found + [line for line in sockets.splitlines() if LEFT in line]
