"""One student, or one mark, is graded again: now, by the class's seed, and without a word about the others."""

from dataclasses import replace

import nbformat
import pytest

from grading.basis import differences
from grading.batch import grade_class, seed_of
from grading.by_name import everybody, exercise_names, find_exercise, find_student
from grading.classroom import Classroom
from grading.commands.again import choose
from grading.exchange.roster import keep, read_roster
from grading.gradebook.autograded import as_file, autograded_notebook
from grading.gradebook.book import Book
from grading.judging.job import Job, Judged, Rules, Times
from grading.problems import GradingError
from grading.receipt import Receipt
from grading.results import Graded, read_results
from grading.waiting import Chosen, hash_of
from tests.grading.made_up import ASSIGNMENT, graded, own_cell, png, submission
from tests.grading.school import School
from utils.files import write_whole
from utils.paths import NOTEBOOKS

NAME = ASSIGNMENT.name
CONV2D = exercise_names(ASSIGNMENT)["conv2d"]
OUTPUTS = [
    {"output_type": "stream", "name": "stdout", "text": "long\n" * 100_000},
    {"output_type": "display_data", "metadata": {}, "data": {"image/png": png(), "text/plain": "a < b"}},
]


class MadeUpJudges:
    """They give what the test says: {student: {exercise: how it went}}, and remember whom they judged."""

    def __init__(self, outcomes: dict[str, dict[str, str]]):
        self.outcomes, self.judged = outcomes, []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def begin(self, job, submissions):
        self.seed = job.rules.seed
        return 1

    def judge(self, files):
        for file in files:
            self.judged.append(file.student)
            found = graded(file.student, self.outcomes.get(file.student, {}), seed=self.seed)
            found = replace(found, sha256=hash_of(file.content), key=file.key)
            notebook = submission({"conv2d": "def conv2d(): ..."}, [own_cell("show()", *OUTPUTS)])
            yield file.student, Judged(found, notebook)


@pytest.fixture
def classroom(tmp_path) -> Classroom:
    """Three have handed in, and all is graded: everything was right but what `bo` has for conv2d."""
    classroom = School(tmp_path / "class").classroom
    write_whole(classroom.released(NAME), (NOTEBOOKS / f"{NAME}.ipynb").read_bytes())
    for student in ("ada", "bo", "chi"):
        write_whole(classroom.submitted(student, NAME), f"the file of {student}")
    run(classroom, bo={"conv2d": "flipped_kernel"})
    return classroom


def run(classroom: Classroom, students=(), cells=(), seconds=60.0, again=False, **outcomes) -> MadeUpJudges:
    judges = MadeUpJudges(outcomes)
    job = Job(NAME, classroom.released(NAME).read_text(encoding="utf-8"), Rules(times=Times(cell=seconds)))
    chosen = Chosen(tuple(students), tuple(cells))
    judges.tally = grade_class(classroom, ASSIGNMENT, job, judges, again=again, chosen=chosen)
    return judges


def results(classroom: Classroom) -> dict[str, Graded]:
    return {one.student: one for one in read_results(classroom, NAME)}


def points(classroom: Classroom, student: str = "bo") -> dict[str, float]:
    with Book(classroom) as book:
        return book.points_by_cell(NAME)[student]


def reasons(classroom: Classroom, student: str = "bo", cell: str = CONV2D) -> list[str]:
    with Book(classroom) as book:
        return [change.why for change in book.changes(NAME, student) if change.cell == cell]


# --- one student --------------------------------------------------------------------------------------------------


def test_one_student_is_graded_now_by_the_seed_of_the_class(classroom):
    before = results(classroom)
    assert run(classroom, ["bo"]).judged == ["bo"]
    after = results(classroom)
    assert after["bo"].seed == before["bo"].seed == seed_of(classroom, NAME)
    assert (points(classroom)[CONV2D], reasons(classroom)) == (3, ["first graded", "graded again (--student)"])
    assert [after[who] for who in ("ada", "chi")] == [before[who] for who in ("ada", "chi")]
    assert run(classroom).judged == [], "it has the result that a run for all would give"


def test_a_run_for_all_that_broke_off_goes_on_after_it(classroom):
    class Stop(MadeUpJudges):
        def judge(self, files):
            yield from list(super().judge(files))[:1]
            raise KeyboardInterrupt

    job = Job(NAME, classroom.released(NAME).read_text(encoding="utf-8"), Rules())
    with pytest.raises(KeyboardInterrupt):
        grade_class(classroom, ASSIGNMENT, job, Stop({}), again=True)
    seed = seed_of(classroom, NAME)
    run(classroom, ["bo"])
    assert run(classroom, again=True).judged == ["chi"], "one was graded before the break, one by name"
    assert {one.seed for one in results(classroom).values()} == {seed}


def test_the_log_says_why_a_score_is_another(classroom):
    write_whole(classroom.submitted("bo", NAME), "a newer file")
    run(classroom)
    run(classroom, seconds=10, bo={"conv2d": "flipped_kernel"})
    run(classroom, seconds=10, again=True)
    assert reasons(classroom) == [
        "first graded",
        "a newer file came in",
        "other rules: --cell-seconds (60, then 10)",
        "all graded again (--again); other rules: seed",
    ]
    write_whole(classroom.result("bo", NAME), "{")
    run(classroom, seconds=10, bo={"conv2d": "flipped_kernel"})
    assert reasons(classroom)[-1] == "its result was damaged"


# --- one mark -----------------------------------------------------------------------------------------------------


def test_one_mark_is_replaced_and_all_else_stays(classroom):
    earlier = results(classroom)["bo"]
    notebook = nbformat.read(classroom.autograded("bo", NAME), as_version=4)
    run(classroom, ["bo"], [CONV2D], bo={"output_size": "no_first_window"})
    later = results(classroom)["bo"]
    assert points(classroom)[CONV2D] == 3 and sum(points(classroom).values()) == earlier.points + 3
    assert [mark for mark in later.marks if mark.grade_id != CONV2D] == [
        mark for mark in earlier.marks if mark.grade_id != CONV2D
    ]
    assert (later.key, later.apart) == (earlier.key, {}), "by the same rules it is a part of the same result"
    cells = zip(nbformat.read(classroom.autograded("bo", NAME), as_version=4).cells, notebook.cells, strict=True)
    assert [after.id for after, before in cells if after != before] == [CONV2D]
    assert run(classroom).judged == []


def test_a_mark_by_other_rules_does_not_make_the_result_one_by_these_rules(classroom):
    earlier = results(classroom)["bo"]
    run(classroom, ["bo"], [CONV2D], seconds=10)
    later = results(classroom)["bo"]
    assert (later.key, later.basis) == (earlier.key, earlier.basis)
    assert differences(later.basis, later.apart[CONV2D]) == ["--cell-seconds (60, then 10)"]
    assert run(classroom, seconds=10).judged == ["ada", "bo", "chi"], "as if the mark had not been replaced"
    assert results(classroom)["bo"].apart == {}


def test_what_a_mark_said_of_an_incident_goes_with_it():
    ended = "ended its own process"
    marks = [replace(mark, incident=ended if mark.grade_id == CONV2D else "") for mark in graded("bo", {}).marks]
    earlier = Graded("bo", NAME, marks, notes=["A note on the file.", f"conv2d {ended}."])
    later = earlier.with_marks_of(graded("bo", {}), [CONV2D])
    assert later.notes == ["A note on the file."]
    assert later.with_marks_of(earlier, [CONV2D]).notes == earlier.notes


def test_a_mark_is_put_into_the_result_of_this_very_file(classroom):
    write_whole(classroom.submitted("bo", NAME), "a newer file")
    write_whole(classroom.submitted("dee", NAME), "a file that is not graded yet")
    before = results(classroom)
    with pytest.raises(GradingError, match="bo, dee: .* Leave --exercise out"):
        run(classroom, ["ada", "bo", "dee"], [CONV2D])
    assert results(classroom) == before
    assert run(classroom, cells=[CONV2D]).judged == ["ada", "chi"], "where nobody is named, those who can"


def test_a_graded_notebook_that_is_read_and_written_again_is_the_same(classroom):
    notebook = nbformat.read(classroom.autograded("ada", NAME), as_version=4)
    once = as_file(autograded_notebook(notebook, ASSIGNMENT.notebook, results(classroom)["ada"].marks))
    assert nbformat.reads(once.decode(), as_version=4) == notebook


# --- names --------------------------------------------------------------------------------------------------------


def test_students_are_found_by_id_and_name_and_a_wrong_one_is_answered_with_near_ones(classroom):
    roster = "id,first_name,last_name\nada,Ada,Lovelace\nbo,Bo,Ek\nUNI\\bo2,Bo,Ek\n"
    write_whole(classroom.root / "roster.csv", roster)
    keep(read_roster(classroom.root / "roster.csv"), classroom)
    people = everybody(classroom)
    assert {find_student(people, name).id for name in ("ada", "Ada Lovelace", "lovelace ada")} == {"ada"}
    assert find_student(people, "chi").id == "chi", "who is not on the roster and has handed in"
    assert find_student(people, "UNI\\bo2").id == "UNI-bo2"
    with pytest.raises(GradingError, match=r"can be Bo Ek \(UNI\\bo2\) or Bo Ek \(bo\). Give the id"):
        find_student(people, "Bo Ek")
    with pytest.raises(GradingError, match=r"called 'Ada Lovelac'. Did you mean Ada Lovelace \(ada\)\?"):
        find_student(people, "Ada Lovelac")
    with pytest.raises(GradingError, match="Expected an id of the roster, or a whole name"):
        find_student(people, "zzzzzz")


def test_exercises_are_found_and_a_wrong_one_is_answered_with_near_ones():
    names = exercise_names(ASSIGNMENT, quizzes=True)
    assert find_exercise(names, "conv2d") == find_exercise(names, CONV2D) == CONV2D
    assert find_exercise(names, "quiz_same_output_size") == "quiz_same_output_size"
    with pytest.raises(GradingError, match=r"Did you mean conv2d\?"):
        find_exercise(names, "conv2")
    with pytest.raises(GradingError, match="Expected one of output_size, conv2d, .*quiz_"):
        find_exercise(names, "zzzzzz")


def test_the_command_refuses_what_does_not_go_together(classroom, monkeypatch, reach_grade):
    monkeypatch.setattr("grading.sandbox.check_available", lambda: None)
    said = reach_grade("grade", "--class", classroom.root, "--student", "bo", "--again", fails=True)
    assert "leave one of them out" in said
    said = reach_grade("grade", "--class", classroom.root, "--student", "boo", fails=True)
    assert "Did you mean bo?" in said
    (classroom.root / "submitted" / "gone").mkdir()
    said = reach_grade("grade", "--class", classroom.root, "--student", "gone", fails=True)
    assert f"gone has not handed in {NAME}" in said


def test_a_file_of_two_is_graded_again_for_both(classroom):
    for student in ("ada", "bo"):
        Receipt("group.ipynb", members=("ada", "bo")).write(classroom.receipt(student, NAME))
    assert choose(classroom, [NAME], ["bo"], []) == {NAME: Chosen(("bo", "ada"))}
    assert choose(classroom, [NAME], ["chi"], ["conv2d"]) == {NAME: Chosen(("chi",), (CONV2D,))}
