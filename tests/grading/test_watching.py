"""A watched folder: files count once they are complete, attempts are counted, and nothing is lost by what disturbs."""

import os
import shutil
import signal
import subprocess
import time
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import nbformat
import pytest

from grading.attempts import MOST, note_attempt, read_attempts
from grading.commands import watch as command
from grading.exchange import archives
from grading.exchange.collecting import collect
from grading.exchange.roster import keep, read_roster
from grading.judging import cluster, local
from grading.judging.job import Judged
from grading.lock import class_lock
from grading.problems import GradingError
from grading.receipt import Receipt
from grading.watching import Incoming, Watch
from tests.grading.interruptible import reach_grade_command
from tests.grading.school import NAME, RIGHT, School
from utils.paths import COURSE


@pytest.fixture
def school(tmp_path) -> School:
    (tmp_path / "in").mkdir()
    return School(tmp_path / "class")


@pytest.fixture
def arrive(school, tmp_path):
    """Puts a notebook with this answer into the folder, as a sync tool does: with a time of long ago."""

    def arrive(name: str, answer: str = RIGHT, age: int = 10_000) -> Path:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(school.notebook(answer)), encoding="utf-8")
        os.utime(path, (time.time() - age,) * 2)
        return path

    return arrive


class Heard:
    """A watch that notes what it does."""

    def __init__(self, school: School, tmp_path: Path, grade=lambda name: None, reader: str = ""):
        self.graded: list[str] = []
        self.placed: list[tuple[str, int]] = []
        self.not_placed: list[str] = []
        self.trouble: list[str] = []

        def graded(name: str) -> None:
            grade(name)
            self.graded.append(name)

        def say(collected) -> None:
            self.placed += [(one.student, one.attempt) for one in collected.placed]
            self.not_placed += [name for name, _ in collected.not_placed]

        self.watch = Watch(tmp_path / "in", school.classroom, None, reader, graded, say, self.trouble.append)

    def rounds(self, number: int = 2) -> "Heard":
        for _ in range(number):
            self.watch.round()
        return self


def name_of(student: str, version: str = "") -> str:
    return f"{student}_{NAME}{version}.ipynb"


# --- what counts as complete ---


def test_a_file_counts_once_two_looks_find_it_the_same(tmp_path):
    incoming, file = Incoming(tmp_path), tmp_path / "x.ipynb"
    assert not incoming.look()
    file.write_text("half")
    assert not incoming.look()
    file.write_text("half and the rest")
    assert not incoming.look(), "it has grown"
    os.utime(file, (1, 1))
    assert not incoming.look(), "it has been written again"
    assert incoming.look() and set(incoming.complete) == {PurePosixPath("x.ipynb")}
    incoming.take()
    assert not incoming.look()
    file.write_text("another")
    assert not incoming.look() and incoming.look()


def test_what_is_still_written_and_what_tools_leave_waits(school, tmp_path, arrive):
    heard = Heard(school, tmp_path)
    arrive(name_of("ada"))
    arrive(f".{name_of('bo')}.part")
    arrive(f".stversions/{name_of('bo')}")
    heard.rounds(1)
    growing = arrive(name_of("chi"))
    heard.rounds(1)
    assert heard.placed == [("ada", 1)], "the second has been seen once"
    with growing.open("a") as file:
        file.write(" ")
    heard.rounds(1)
    assert not school.classroom.submitted("chi", NAME).exists()
    heard.rounds(1)
    assert heard.placed == [("ada", 1), ("chi", 1)] and heard.not_placed == []


# --- attempts ---


def test_attempts_are_counted_and_kept(school, tmp_path, arrive):
    heard = Heard(school, tmp_path)
    for answer in ("1", "2", "1"):  # the third is the first once more
        arrive(name_of("ada"), f"def output_size(*_): return {answer}")
        heard.rounds(3)
    assert heard.placed == [("ada", 1), ("ada", 2), ("ada", 3)] and heard.graded == [NAME] * 3
    attempts = read_attempts(school.classroom.attempts("ada", NAME))
    assert [one.number for one in attempts] == [1, 2, 3] and attempts[0].sha256 == attempts[2].sha256
    assert all(one.submitted and one.seen and one.file == name_of("ada") for one in attempts)


def test_a_burst_is_one_round_and_the_newest_of_each_counts(school, tmp_path, arrive):
    for number in range(20):
        arrive(name_of(f"s{number:02}"))
    time.sleep(0.05)  # a file system's clock may go by hundredths
    for number in range(20):
        arrive(f"s{number:02}-{NAME}.ipynb", f"def output_size(*_): return {number}")
    heard = Heard(school, tmp_path).rounds(3)
    assert heard.placed == [(f"s{number:02}", 1) for number in range(20)] and heard.graded == [NAME]
    assert "return 7" in school.classroom.submitted("s07", NAME).read_text(encoding="utf-8")


def test_the_same_files_are_no_attempt_when_the_watch_starts_anew(school, tmp_path, arrive):
    for version in ("", "_2"):
        arrive(name_of("ada", version), f"def output_size(*_): return 1{version}")
        Heard(school, tmp_path).rounds()
    before = school.classroom.attempts("ada", NAME).read_text()
    stamp = school.classroom.submitted("ada", NAME).stat()
    anew = Heard(school, tmp_path).rounds()
    assert anew.placed == [] and school.classroom.attempts("ada", NAME).read_text() == before
    assert school.classroom.submitted("ada", NAME).stat() == stamp, "nothing was written again"


def test_what_collect_places_is_an_attempt_too(school, tmp_path, arrive):
    school.hand_in("ada", "handed in before attempts were counted")
    for answer in ("1", "2"):
        arrive(name_of("ada"), f"def output_size(*_): return {answer}", age=-10)
        assert [one.attempt for one in collect(tmp_path / "in", school.classroom).placed] == [1 + int(answer)]
    assert [one.attempt for one in collect(tmp_path / "in", school.classroom).placed] == [0]


def test_a_kill_between_list_and_notebook_adds_no_attempt(tmp_path):
    path = tmp_path / "attempts.json"
    for _ in range(2):
        assert note_attempt(path, "x", "", b"one", others_before=False) == 1
    assert note_attempt(path, "x", "", b"two", others_before=True) == 2
    path.write_text("damaged")
    assert note_attempt(path, "x", "", b"three", others_before=True) == 2, "it counts from what is known"


def test_a_flood_of_attempts_is_counted_and_the_list_stays_short(tmp_path, monkeypatch):
    monkeypatch.setattr("grading.attempts.MOST", 3)
    for number in range(5):
        note_attempt(tmp_path / "a.json", "x", "", str(number).encode(), others_before=number > 0)
    assert [one.number for one in read_attempts(tmp_path / "a.json")] == [3, 4, 5] and MOST > 3


# --- when it came in ---


def test_the_time_is_that_of_the_arrival_and_not_one_that_a_student_sets(school, tmp_path, arrive):
    before = time.time() - 1
    arrive(name_of("ada"))  # with a time of hours ago
    Heard(school, tmp_path).rounds()
    receipt = Receipt.read(school.classroom.receipt("ada", NAME))
    assert receipt and time.mktime(time.strptime(receipt.submitted[:19], "%Y-%m-%dT%H:%M:%S")) >= int(before)


def test_a_copy_without_its_time_makes_nobody_late(school, tmp_path, arrive):
    arrive(name_of("ada"))
    collect(tmp_path / "in", school.classroom)
    first = Receipt.read(school.classroom.receipt("ada", NAME))
    shutil.copyfile(tmp_path / "in" / name_of("ada"), tmp_path / "copy")
    shutil.move(tmp_path / "copy", tmp_path / "in" / name_of("ada"))
    collect(tmp_path / "in", school.classroom)
    assert Receipt.read(school.classroom.receipt("ada", NAME)) == first
    arrive(name_of("ada"), age=20_000)
    collect(tmp_path / "in", school.classroom)
    earlier = Receipt.read(school.classroom.receipt("ada", NAME))
    assert earlier and first and earlier.submitted < first.submitted, "an earlier time is better known"


# --- what disturbs ---


def test_the_rules_of_collect_hold_and_each_thing_is_said_once(school, tmp_path, arrive):
    (tmp_path / "roster.csv").write_text("id,name\nada,Ada Abe\n")
    keep(read_roster(tmp_path / "roster.csv"), school.classroom)
    arrive(name_of("ada"))
    arrive(name_of("nobody"))
    (tmp_path / "in/link.ipynb").symlink_to(tmp_path / "roster.csv")
    heard = Heard(school, tmp_path).rounds()
    arrive(name_of("ada"), "def output_size(*_): return 1")
    heard.rounds(3)
    assert heard.placed == [("ada", 1), ("ada", 2)]
    assert sorted(heard.not_placed) == ["link.ipynb", name_of("nobody")]


def test_a_grade_beside_it_is_waited_for(school, tmp_path, arrive):
    def grade(name: str) -> None:
        with class_lock(school.classroom):
            pass

    heard = Heard(school, tmp_path, grade)
    arrive(name_of("ada"))
    with class_lock(school.classroom):
        heard.rounds(4)
        assert heard.graded == [] and heard.placed == [("ada", 1)]
        assert len(heard.trouble) == 1 and "Another run is grading" in heard.trouble[0], "it is said once"
    assert heard.rounds(1).graded == [NAME]


def test_trouble_is_said_and_tried_again(school, tmp_path, arrive):
    """The roster is damaged, and put right by hand meanwhile."""
    heard = Heard(school, tmp_path)
    school.classroom.roster.write_text("damaged")
    arrive(name_of("ada"))
    heard.rounds(4)
    assert len(heard.trouble) == 1 and "roster.json is damaged" in heard.trouble[0]
    school.classroom.roster.unlink()
    assert heard.rounds(1).placed == [("ada", 1)] and heard.graded == [NAME]


def test_what_could_not_be_graded_is_graded_in_the_next_round(school, tmp_path, arrive):
    tries = iter([GradingError("The gradebook is away."), None])

    def grade(name: str) -> None:
        if error := next(tries):
            raise error

    arrive(name_of("ada"))
    heard = Heard(school, tmp_path, grade).rounds(2)
    assert heard.trouble == ["The gradebook is away."] and heard.graded == []
    assert heard.rounds(1).graded == [NAME]


def test_a_folder_that_is_none_is_said(school, tmp_path):
    (tmp_path / "in").rmdir()
    with pytest.raises(GradingError, match="is no folder"):
        Heard(school, tmp_path)


# --- who fills the folder ---


@pytest.fixture
def pack(school, tmp_path):
    """Puts a zip of notebooks, or of texts that are some, into the folder."""

    def pack(name: str, members: int, member: str = "{}.txt", answer: str = RIGHT) -> None:
        content = nbformat.writes(school.notebook(answer))
        with zipfile.ZipFile(tmp_path / "in" / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(members):
                archive.writestr(member.format(number), content)

    return pack


@pytest.fixture
def opened(monkeypatch):
    """The names of files that were read, and "zip" for each zip that was opened."""
    seen = []
    read, make = archives.read_as_seen, zipfile.ZipFile
    monkeypatch.setattr(archives, "read_as_seen", lambda *told: seen.append(told[1].name) or read(*told))
    monkeypatch.setattr(archives.zipfile, "ZipFile", lambda *told: seen.append("zip") or make(*told))
    return seen


def test_what_is_known_is_not_read_again(school, tmp_path, arrive, pack, opened):
    for student in ("ada", "bo"):
        arrive(name_of(student))
    arrive(name_of("ada", "_2"))
    (tmp_path / "in/notes_01_convolution.txt").write_text("no notebook")
    pack("zoe.zip", 1, f"{NAME}.ipynb")
    pack("broken.zip", 0)
    heard = Heard(school, tmp_path).rounds()
    assert {"zip", "zoe.zip", name_of("ada"), "notes_01_convolution.txt"} <= set(opened)
    opened.clear()
    arrive(name_of("chi"))
    heard.rounds()
    assert set(opened) == {name_of("chi")}
    opened.clear()
    pack("zoe.zip", 1, f"{NAME}.ipynb", "def output_size(*_): return 1")
    heard.rounds()
    assert set(opened) == {"zip", "zoe.zip"}
    assert heard.placed == [("ada", 1), ("bo", 1), ("zoe", 1), ("chi", 1), ("zoe", 2)]
    shutil.rmtree(school.classroom.root / "submitted/bo")
    arrive(name_of("chi"), "def output_size(*_): return 1")
    heard.rounds()
    assert heard.placed[-2:] == [("bo", 1), ("chi", 2)], "what has gone is placed again"


def test_a_zip_is_opened_once_for_all_its_members(school, tmp_path, pack, opened):
    pack("mal.zip", 15, NAME + "_{}.txt")
    opened.clear()
    heard = Heard(school, tmp_path).rounds()
    assert opened.count("zip") == 1 and opened.count("mal.zip") <= 2 and heard.placed == [("mal", 1)]


def test_of_many_texts_in_a_zip_a_few_are_read(school, tmp_path, arrive, pack, monkeypatch):
    monkeypatch.setattr("grading.exchange.collecting.looks_like_a_notebook", lambda file: seen.append(file) or True)
    seen = []
    pack("mal.zip", 900, NAME + "_{}.txt")
    arrive(name_of("ada"))
    heard = Heard(school, tmp_path).rounds()
    assert heard.placed == [("ada", 1)] and len(seen) == 21 and len(heard.not_placed) == 21


def test_the_fullest_zips_stay_closed_where_all_hold_too_much(school, tmp_path, arrive, pack, monkeypatch):
    monkeypatch.setattr(archives, "MOST_MEMBERS", 12)
    for number, members in enumerate((9, 1, 8, 1)):
        pack(f"s{number}.zip", members, NAME + "/{}.ipynb")
    arrive(name_of("ada"))
    heard = Heard(school, tmp_path).rounds()
    assert heard.placed == [("ada", 1), ("s1", 1), ("s2", 1), ("s3", 1)] and heard.not_placed == ["s0.zip"]


def test_a_zip_of_20_000_and_5_000_notebooks_stop_nobody(school, tmp_path, arrive, rounds, reach_grade):
    (tmp_path / "roster.csv").write_text("id,name\nada,Ada Abe\nmal,Mal Ory\n")
    keep(read_roster(tmp_path / "roster.csv"), school.classroom)
    (tmp_path / "in/mal").mkdir()
    for number in range(5_000):
        (tmp_path / f"in/mal/{NAME}_{number}.ipynb").write_text("{}")
    with zipfile.ZipFile(tmp_path / "in/mal.zip", "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number}.ipynb", "")
    arrive(name_of("ada"))

    def more() -> None:
        (tmp_path / f"in/mal/{NAME}_9999.ipynb").write_text("{}")

    rounds(bool, more, bool, bool)
    said = reach_grade("watch", "in", "--class", "class", "--unsafe-no-sandbox")
    assert "Ada Abe (ada), attempt 1: 1 of 1 points" in said
    assert said.count("not placed") == 22 and "and 4981 more files not placed; the command `collect` lists all" in said
    assert f"not placed: mal/{NAME}_9999.ipynb" in said, "what is new is said, and nothing else again"


# --- the command ---


class Passing(local.LocalJudges):
    """No process: all answers pass."""

    def __init__(self, most=None):
        pass

    def begin(self, job, submissions):
        return 1

    def __exit__(self, *error):
        pass

    def judge(self, files):
        school = School.__new__(School)
        for file in files:
            result = replace(school.graded(file.student, passed=True), key=file.key)
            yield file.student, Judged(result, nbformat.reads(file.content.decode(), as_version=4))


@pytest.fixture
def rounds(monkeypatch):
    """What happens after each round instead of a pause; then comes Ctrl-C."""

    def after(*steps) -> None:
        left = iter(steps)

        def pause(seconds: float) -> None:
            step = next(left, None)
            if step is None:
                raise KeyboardInterrupt
            step()

        monkeypatch.setattr(
            command, "time", type("Clock", (), {"sleep": pause, "strftime": time.strftime, "monotonic": time.monotonic})
        )
        monkeypatch.setattr(local, "LocalJudges", Passing)
        monkeypatch.setattr(signal, "signal", lambda *_: None)

    return after


def test_the_command_grades_what_arrives_and_writes_its_page(school, tmp_path, arrive, rounds, reach_grade):
    (tmp_path / "roster.csv").write_text("id,name\nada,Ada [b]Abe[/b]\nbo,Bo Ek\n")
    reach_grade("roster", "roster.csv", "--class", "class")
    school.hand_in("bo", school.notebook(RIGHT))  # left by an earlier run
    arrive(name_of("ada"))
    page = school.classroom.feedback("ada", NAME)

    def again() -> None:
        assert page.is_file()
        page.unlink()  # as where a kill came between the grade and its page
        arrive(name_of("ada"), "def output_size(*_): return 1")

    nothing = bool
    rounds(nothing, again, nothing, nothing)
    said = reach_grade("watch", "in", "--class", "class", "--unsafe-no-sandbox")
    assert "Bo Ek (bo), attempt 1: 1 of 1 points" in said
    assert said.index("Ada [b]Abe[/b] (ada), attempt 1") < said.index("(ada), attempt 2") < said.index("Stopped.")
    assert page.is_file() and school.classroom.feedback("bo", NAME).is_file()
    said = reach_grade("attempts", "--class", "class")
    assert "Ada [b]Abe[/b] (ada)" in said and "Bo Ek (bo)" in said
    whole = reach_grade("attempts", "--class", "class", "--student", "Ada [b]Abe[/b]")
    assert whole.count("ada_01_conv") == 2 and "Bo Ek" not in whole  # a long name is folded, not cut


def test_who_is_late_is_said_beside_the_points(school, tmp_path, arrive, rounds, reach_grade):
    (school.classroom.root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"
    )
    yesterday = time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() - 30 * 3600))
    school.classroom.due.write_text(f"assignment,student,due\n{NAME},,{yesterday}\n{NAME},bo,2999-01-01 12:00\n")
    for student in ("ada", "bo"):
        arrive(name_of(student))
    rounds(bool)
    said = reach_grade("watch", "in", "--class", "class", "--unsafe-no-sandbox")
    assert "ada, attempt 1: 1 of 1 points; late by 30 h, 1 point is taken off\n" in said
    assert "bo, attempt 1: 1 of 1 points\n" in said, "who has a later date is not late"


def test_when_it_was_collected_is_not_told_as_when_it_was_handed_in(school, reach_grade):
    note_attempt(school.classroom.attempts("ada", NAME), "ada.ipynb", "", b"{}", others_before=False)
    school.hand_in("ada", "collected from a platform that tells no time")
    for options in ((), ("--student", "ada")):
        said = reach_grade("attempts", "--class", "class", *options)
        assert "not known" in said and " UTC" not in said


def test_in_a_burst_the_first_are_answered_before_the_last_is_graded(
    school, tmp_path, arrive, rounds, reach_grade, monkeypatch
):
    rounds(bool)
    monkeypatch.setattr(command, "ANSWER_AFTER", -1)
    monkeypatch.setattr(Passing, "judge", _looking(school, Passing.judge, seen := []))
    for student in ("ada", "bo", "chi"):
        arrive(name_of(student))
    said = reach_grade("watch", "in", "--class", "class", "--unsafe-no-sandbox")
    assert seen == [0, 1, 2] and said.count("attempt 1: 1 of 1 points") == 3
    assert said.count(f"3 of {NAME} to grade") == 1


def _looking(school: School, judge, seen: list[int]):
    """Notes how many pages there are before each result."""

    def looking(self, files):
        for file in files:
            seen.append(len(list(school.classroom.root.glob("feedback/*/*/*.html"))))
            yield from judge(self, [file])

    return looking


def test_a_cluster_that_is_away_is_waited_for(school, tmp_path, arrive, rounds, reach_grade, monkeypatch):
    class Cluster(Passing):
        def __init__(self, scheduler):
            addresses.append(scheduler)
            if len(addresses) < 3:
                raise GradingError(f"No Dask scheduler answers at {scheduler}.")

    addresses = []
    rounds(*[bool] * 5)
    monkeypatch.setattr(cluster, "ClusterJudges", Cluster)
    monkeypatch.setattr(local, "LocalJudges", None)
    arrive(name_of("ada"))
    said = reach_grade("watch", "in", "--class", "class", "--scheduler", "tcp://127.0.0.1:9")
    assert addresses == ["tcp://127.0.0.1:9"] * 3 and said.count("No Dask scheduler answers") == 1
    assert said.index("No Dask scheduler answers") < said.index("ada, attempt 1: 1 of 1 points")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_good_order(school, tmp_path, how):
    words = ["watch", str(tmp_path / "in"), "--class", str(school.classroom.root), "--unsafe-no-sandbox"]
    run = subprocess.Popen(reach_grade_command(*words), cwd=COURSE, stdout=subprocess.PIPE, text=True)
    assert run.stdout and "watching" in run.stdout.readline()
    run.send_signal(how)
    assert "Stopped." in run.communicate(timeout=120)[0] and run.returncode == 0


def test_a_name_tells_no_time_where_learners_choose_the_names(school, tmp_path, arrive):
    name = "gradebook_C_01-convolution_ada_attempt_2020-01-24-21-26-00_01_convolution.ipynb"
    arrive(name)
    heard = Heard(school, tmp_path, reader="blackboard").rounds()
    assert [student for student, _ in heard.placed] == ["ada"]
    receipt = Receipt.read(school.classroom.receipt("ada", NAME))
    assert receipt and not receipt.submitted.startswith("2020")
