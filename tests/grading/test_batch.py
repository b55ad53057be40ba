"""A batch ends, whatever comes in; what interrupts it costs nothing; the same command goes on where it was."""

import json
import random
import signal
import time
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
import pytest
from distributed import LocalCluster

from grading import basis
from grading.assignment import load_assignment
from grading.batch import grade_class
from grading.gradebook.book import Book
from grading.judging import cluster as dask_cluster
from grading.judging import local
from grading.judging.job import Job, Rules
from grading.problems import GradingError
from grading.receipt import Receipt
from grading.results import read_results
from tests.grading.runs import grade_all, grade_one_and_wait, grade_until_killed, started
from tests.grading.school import CHECK, NAME, RIGHT, School
from utils.files import write_whole

WRONG = RIGHT.replace(" + 1", "")
STUDENTS = [f"s{number:03}" for number in range(30)]
MOST_STEPS = 160  # of a run before its kill: 80 or so for the assignment, and 19 for each submission


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and a worker, as on a cluster, for the tests that are not about starting one."""
    with LocalCluster(n_workers=1, threads_per_worker=1, memory_limit=None, dashboard_address=":0") as cluster:
        yield {"scheduler": cluster.scheduler_address}


def scores(school: School) -> dict[str, float | None]:
    with Book(school.classroom) as book:
        return {score.student: score.points for score in book.scores(NAME)}


@pytest.fixture
def school(tmp_path, sandbox):
    """A class in which one has it right, one wrong, one has nothing, and one has handed in what is no notebook."""
    school = School(tmp_path)
    for student, answer in (("ada", RIGHT), ("bo", WRONG), ("chi", "")):
        school.hand_in(student, school.notebook(answer))
    school.hand_in("dee", "this is no notebook")
    return school


def test_a_batch_is_graded_and_a_second_run_keeps_it(school, cluster):
    tally = grade_all(school.classroom.root, **cluster)
    assert sorted(one.student for one in tally.graded) == ["ada", "bo", "chi", "dee"] and tally.failed == []
    assert scores(school) == {"ada": 1, "bo": 0, "chi": 0, "dee": 0}
    results = {one.student: one for one in read_results(school.classroom, NAME)}
    assert results["bo"].marks[0].verdict.mistake == "no_first_window"
    assert "not JSON" in results["dee"].notes[0]
    assert len({one.seed for one in results.values()}) == 1 and results["ada"].seed > 0

    again = grade_all(school.classroom.root, **cluster)
    assert again.graded == [] and sorted(again.kept) == ["ada", "bo", "chi", "dee"]

    school.hand_in("bo", school.notebook(RIGHT))
    later = grade_all(school.classroom.root, **cluster)
    assert [one.student for one in later.graded] == ["bo"] and scores(school)["bo"] == 1
    assert later.graded[0].seed == results["ada"].seed  # the same cases as everybody's


def test_penalties_follow_a_new_date_where_nothing_is_left_to_grade(school, cluster):
    (school.classroom.root / "nbgrader_config.py").write_text(
        'c = get_config()\nc.LateSubmissionPlugin.penalty_method = "zero"\n'
    )
    Receipt("ada.ipynb", submitted="2026-03-02T12:00:00+00:00").write(school.classroom.receipt("ada", NAME))
    grade_all(school.classroom.root, **cluster)
    for due, points in (("2026-03-01", 0), ("2026-03-03", 1)):
        school.classroom.due.write_text(f"assignment,student,due\n{NAME},,{due} 12:00 UTC\n")
        assert grade_all(school.classroom.root, **cluster).graded == []
        assert scores(school)["ada"] == points


def test_again_draws_a_new_seed_and_a_given_seed_is_taken(school, cluster):
    first = grade_all(school.classroom.root, **cluster)
    anew = grade_all(school.classroom.root, **cluster, again=True)
    assert len(anew.graded) == 4 and anew.graded[0].seed != first.graded[0].seed
    chosen = grade_all(school.classroom.root, **cluster, seed=5)
    assert {one.seed for one in chosen.graded} == {5}


def test_a_run_by_a_new_seed_that_was_interrupted_goes_on(school, cluster):
    """The first submission is graded by the new seed, then the run breaks off; the same command keeps it."""
    grade_all(school.classroom.root, **cluster)

    def stop(total, tally):
        if tally.graded:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade_all(school.classroom.root, **cluster, again=True, report=stop)
    rest = grade_all(school.classroom.root, **cluster, again=True)
    assert rest.anew, "it is said that the run goes on, and not that rules have changed"
    assert len(rest.kept) == 1 and len(rest.graded) == 3 and rest.outdated == 3
    assert len({one.seed for one in read_results(school.classroom, NAME)}) == 1


def test_marks_follow_from_code_rules_and_versions(tmp_path, monkeypatch):
    """What a result is kept by: it changes with each of these, and with nothing else."""
    for name in ("grading/submission/plan.py", "utils/text.py"):
        write_whole(tmp_path / name, "old")
    monkeypatch.setattr(basis, "COURSE", tmp_path)
    job = Job(NAME, "released", Rules(seed=1))
    found = [basis.basis(job), basis.basis(replace(job, rules=Rules(seed=2)))]
    write_whole(tmp_path / "grading/submission/plan.py", "new")
    found.append(basis.basis(job))
    write_whole(tmp_path / "utils/text.py", "new")
    found.append(basis.basis(job))
    monkeypatch.setattr(basis, "version", lambda package: f"a newer {package}")
    found.append(basis.basis(job))
    assert len({basis.key(one, b"a file") for one in found}) == len(found)
    assert basis.key(basis.basis(job), b"a file") == basis.key(found[-1], b"a file")
    assert basis.key(basis.basis(job), b"another") != basis.key(found[-1], b"another file")


def test_two_runs_at_once_are_refused(school):
    with Path(school.classroom.root, ".grading.lock").open("w") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(GradingError, match="Another run"):
            grade_all(school.classroom.root)


def test_a_damaged_result_is_made_anew(school, cluster):
    grade_all(school.classroom.root, **cluster)
    result = school.classroom.result("ada", NAME)
    result.write_text(result.read_text(encoding="utf-8")[:100], encoding="utf-8")
    assert [one.student for one in grade_all(school.classroom.root, **cluster).graded] == ["ada"]


def test_a_full_disk_stops_with_an_error_and_loses_nothing(school, cluster, monkeypatch):
    from grading.gradebook import book

    def no_space(path, content):
        if "bo" in path.parts:
            raise OSError(28, "No space left on device", str(path))
        return write(path, content)

    write = book.write_whole
    monkeypatch.setattr(book, "write_whole", no_space)
    with pytest.raises(OSError, match="No space"):
        grade_all(school.classroom.root, **cluster)
    monkeypatch.undo()
    tally = grade_all(school.classroom.root, **cluster)
    assert "bo" in [one.student for one in tally.graded]
    assert scores(school) == {"ada": 1, "bo": 0, "chi": 0, "dee": 0}


def test_a_killed_run_takes_its_own_cluster_with_it_and_the_next_gives_the_same(school, cluster):
    run = started(grade_one_and_wait, school.classroom.root, workers=1)
    _wait_for_a_result(school, run)
    below = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.join()
    deadline = time.monotonic() + 60
    while any(map(_runs, below)):
        assert time.monotonic() < deadline, "a killed run leaves processes behind"
        time.sleep(0.1)
    assert below

    tally = grade_all(school.classroom.root, **cluster)
    assert tally.kept and len(tally.kept) + len(tally.graded) == 4
    assert scores(school) == {"ada": 1, "bo": 0, "chi": 0, "dee": 0}


def test_a_scheduler_that_is_not_there_is_named(school, monkeypatch):
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(GradingError, match="No Dask scheduler answers"):
        grade_all(school.classroom.root, scheduler="tcp://127.0.0.1:9")


@pytest.mark.parametrize("workers", [1, 3])
def test_so_many_processes_judge_as_were_asked_for(school, workers):
    seen = []

    def look(total, tally):
        if tally.graded and not seen:
            seen.append(len(_judges()))

    tally = grade_all(school.classroom.root, workers=workers, report=look)
    assert seen == [workers] and tally.processes == workers
    assert not _judges(), "they end with the run"
    assert scores(school) == {"ada": 1, "bo": 0, "chi": 0, "dee": 0}


def test_the_same_process_judges_one_batch_after_another(school):
    """Each by what it is told for it, here by its seed."""
    assignment = load_assignment(school.classroom.released(NAME))
    job = Job(NAME, school.classroom.released(NAME).read_text(encoding="utf-8"), Rules(seed=3))
    with local.LocalJudges(1) as judges:
        before = [one.pid for one in _judges()]
        for seed in (3, 4):
            rules = Rules(seed=seed)
            tally = grade_class(school.classroom, assignment, replace(job, rules=rules), judges)
            assert len(tally.graded) == 4 and {one.seed for one in tally.graded} == {seed}
        assert [one.pid for one in _judges()] == before and len(before) == 1
    assert not _judges() and scores(school) == {"ada": 1, "bo": 0, "chi": 0, "dee": 0}


def test_a_file_that_kills_its_judge_is_named_and_costs_nobody_else(school, monkeypatch):
    """One process judges all, and is killed whenever it is given Bo's file: among others, and alone."""
    took = local._Process.take

    def take(process, file):
        taken = took(process, file)
        if file is not None and file.student == "bo":
            process._process.kill()
        return taken

    monkeypatch.setattr(local._Process, "take", take)
    tally = grade_all(school.classroom.root, workers=1)
    assert sorted(one.student for one in tally.graded) == ["ada", "chi", "dee"]
    [(student, why)] = tally.failed
    assert student == "bo" and "its judge was killed" in why and "nothing beside it" in why
    assert scores(school) == {"ada": 1, "chi": 0, "dee": 0}
    monkeypatch.undo()
    assert [one.student for one in grade_all(school.classroom.root, workers=1).graded] == ["bo"]


def test_a_judge_that_is_killed_once_costs_no_grade(school, monkeypatch):
    """As a system does that is short of memory, for whatever reason. The file is judged again, alone."""
    took, killed = local._Process.take, []

    def take(process, file):
        taken = took(process, file)
        if file is not None and file.student == "ada" and not killed:
            killed.append(process._process.pid)
            process._process.kill()
        return taken

    monkeypatch.setattr(local._Process, "take", take)
    tally = grade_all(school.classroom.root, workers=2)
    assert killed and tally.failed == [] and tally.graded[-1].student == "ada"
    assert scores(school) == {"ada": 1, "bo": 0, "chi": 0, "dee": 0}


def test_what_the_machine_lacked_is_asked_for_again_alone_and_then_said(school, monkeypatch):
    """The judge's answer on Ada's file says both times that the machine was at fault."""
    outcome, asked = local._Process.outcome, []

    def at_fault(process):
        student, judged = outcome(process)
        asked.append(student)
        if student == "ada":
            marks = [replace(mark, fault="the machine had no memory left") for mark in judged.graded.marks]
            judged = replace(judged, graded=replace(judged.graded, marks=marks))
        return student, judged

    monkeypatch.setattr(local._Process, "outcome", at_fault)
    tally = grade_all(school.classroom.root, workers=1)
    assert asked[-1] == "ada" and asked.count("ada") == 2 and len(asked) == 5
    [(student, why)] = tally.failed
    assert student == "ada" and "the machine had no memory left" in why
    assert sorted(scores(school)) == ["bo", "chi", "dee"], "it has no grade, rather than a wrong one"


def test_checks_that_break_stop_the_run_before_it_begins(school):
    private = (("mine.py", "raise ValueError('a slip')"),)
    with pytest.raises(GradingError, match="mine.py break: ValueError: a slip"):
        grade_all(school.classroom.root, workers=1, private=private)
    assert not list(school.classroom.root.glob(f"results/{NAME}/*.json")) and not _judges()


def test_ctrl_c_ends_all_processes_and_the_same_command_goes_on(school):
    def stop(total, tally):
        if tally.graded:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade_all(school.classroom.root, workers=2, report=stop)
    assert not _judges()
    rest = grade_all(school.classroom.root, workers=2)
    assert len(rest.kept) == 1 and len(rest.graded) == 3 and not rest.anew and not rest.outdated


def _judges() -> list[psutil.Process]:
    below = psutil.Process().children(recursive=True)
    return [one for one in below if _runs(one) and "grading.judging.process" in one.cmdline()]


def test_a_worker_that_dies_costs_no_grade(school, cluster):
    """Every process below the run is killed once, early; Dask starts others."""
    killed = []

    def kill_workers(total, tally):
        if not killed and total:
            for process in psutil.Process().children(recursive=True):
                if process.name() == "bwrap":
                    killed.append(process.pid)
                    process.kill()

    tally = grade_all(school.classroom.root, **cluster, report=kill_workers)
    assert len(tally.graded) == 4 and tally.failed == []
    assert scores(school) == {"ada": 1, "bo": 0, "chi": 0, "dee": 0}


@pytest.mark.slow
def test_killed_ten_times_the_gradebook_ends_as_if_nothing_had_happened(tmp_path, cluster):
    """Each kill comes right before some step of the work on the disk. The steps are drawn, and any may be hit."""
    disturbed, undisturbed = School(tmp_path / "disturbed"), School(tmp_path / "undisturbed")
    rng = random.Random(0)
    for student in STUDENTS:
        notebook = disturbed.notebook(rng.choice([RIGHT, WRONG, ""]))
        for school in (disturbed, undisturbed):
            school.hand_in(student, notebook)
    write_whole(disturbed.classroom.batch(NAME), json.dumps({"seed": 4}))
    grade_all(undisturbed.classroom.root, seed=4, **cluster)

    for _ in range(10):
        run = started(grade_until_killed, disturbed.classroom.root, rng.randint(1, MOST_STEPS), **cluster)
        run.join()
        assert run.exitcode == -signal.SIGKILL, "the batch was over before it was killed ten times"
    tally = grade_all(disturbed.classroom.root, **cluster)
    assert tally.kept, "what was graded before the kills counts"
    assert tally.graded, "there was something left to interrupt"
    assert scores(disturbed) == scores(undisturbed) and len(scores(disturbed)) == len(STUDENTS)
    assert _grades(disturbed) == _grades(undisturbed)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE  # in a container nobody buries those
    except psutil.NoSuchProcess:
        return False


def _wait_for_a_result(school: School, run: BaseProcess) -> None:
    deadline = time.monotonic() + 300
    while not list(school.classroom.root.glob(f"results/{NAME}/*.json")):
        assert run.is_alive() and time.monotonic() < deadline, "the batch does not get on"
        time.sleep(0.05)


def _grades(school: School) -> dict[str, tuple]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{school.classroom.gradebook}") as gradebook:
        found = [gradebook.find_grade(CHECK, NAME, NAME, student) for student in STUDENTS]
        return {grade.student.id: (grade.auto_score, grade.manual_score, grade.needs_manual_grade) for grade in found}
