"""Whoever changes a score, with whatever program: the log says who, when and why, and the log's sum is the score."""

import sqlite3
import subprocess
import sys

import pytest
from nbgrader.api import Gradebook
from sqlalchemy.exc import SQLAlchemyError

from grading.console_changes import log_lines
from grading.exchange.people import Roster
from grading.gradebook import changes
from grading.gradebook.book import Book
from grading.gradebook.config import write_nbgrader_config
from grading.problems import GradingError
from tests.grading.school import NAME, QUIZ, RIGHT, School


def logged(school: School, student: str = "ada") -> list[tuple]:
    with sqlite3.connect(school.classroom.gradebook) as database:
        return database.execute(
            "SELECT who, cell, before, after, why FROM reach_changes WHERE student = ? ORDER BY id", [student]
        ).fetchall()


def test_a_score_by_a_person_is_logged_with_name_and_reason(school, book):
    book.record(school.graded("ada", passed=False), school.notebook(RIGHT, quiz="c"))
    with book.writing("rubric: names both conditions", who="Kim") as gradebook:
        gradebook.find_grade(QUIZ, NAME, NAME, "ada").manual_score = 1
    assert logged(school)[-1] == ("Kim", QUIZ, None, 1.0, "rubric: names both conditions")


def test_what_is_not_written_is_not_logged(school, book):
    book.record(school.graded("ada", passed=False), school.notebook(RIGHT, quiz="c"))
    before = logged(school)
    with pytest.raises(GradingError), book.writing("a reason") as gradebook:
        gradebook.find_grade(QUIZ, NAME, NAME, "ada").manual_score = 1
        gradebook.db.flush()
        raise SQLAlchemyError("the disk is full")
    assert logged(school) == before


def test_formgrader_and_other_programs_are_logged(school, book):
    """formgrader writes through nbgrader's classes; a program that does not log is found by comparison."""
    book.record(school.graded("ada", passed=False), school.notebook(RIGHT, quiz="c"))
    with Gradebook(book.url) as formgrader:
        formgrader.find_grade(QUIZ, NAME, NAME, "ada").manual_score = 0.5
        formgrader.db.commit()
    assert logged(school)[-1] == (changes.this_account(), QUIZ, None, 0.5, changes.IN_FORMGRADER)
    with sqlite3.connect(school.classroom.gradebook) as other:
        other.execute("UPDATE grade SET manual_score = 1 WHERE manual_score = 0.5")
    book.record(school.graded("ada", passed=True), school.notebook(RIGHT, quiz="c"))
    assert (changes.NOT_KNOWN, QUIZ, 0.5, 1.0, changes.OUTSIDE) in logged(school)


def test_the_log_adds_up_to_the_score_whatever_happens(school, book):
    """A late penalty has points below zero in it, and follows the due date with a reason of its own."""
    (school.classroom.root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"
    )
    school.hand_in("ada", school.notebook(RIGHT), "2026-03-02 12:00:00 UTC")
    with Book(school.classroom) as book:
        for due, passed in (("2026-03-01", True), ("2026-03-03", True), ("2026-03-01", False), ("2026-03-01", True)):
            school.classroom.due.write_text(f"assignment,student,due\n{NAME},,{due} 12:00 UTC\n")
            book.register(school.assignment)
            book.record(school.graded("ada", passed), school.notebook(RIGHT, quiz="c"), "graded")
            with book.writing("by hand", who="Kim") as gradebook:
                grade = gradebook.find_grade(QUIZ, NAME, NAME, "ada")
                grade.extra_credit = (grade.extra_credit or 0) + 0.25
                book.renew_penalty(grade.notebook)
            last = {change.cell: change.after or 0.0 for change in book.changes(NAME, "ada")}
            assert sum(last.values()) == book.scores(NAME)[0].points
        why = [change.why for change in book.changes(NAME, "ada") if change.cell == changes.LATE]
        lines = list(log_lines(book.changes(NAME, "ada"), Roster([])))
    assert why[0] == "late penalty: handed in 2026-03-02 12:00:00 UTC, due 2026-03-01 12:00:00 UTC"
    moved = "which moved from 2026-03-01 12:00:00 UTC"
    assert f"no late penalty: handed in 2026-03-02 12:00:00 UTC, due 2026-03-03 12:00:00 UTC, {moved}" in why
    said = [line for line in lines if "late penalty" in line]
    assert said and all(line.count("late penalty") == 1 for line in said)
    assert any("→ none; handed in 2026-03-02 12:00:00 UTC, due 2026-03-03 12:00:00 UTC, " in line for line in said)


def test_the_log_is_printed_a_line_for_what_happened_together(school, book, reach_grade):
    book.enrol("ada", first_name="Ada", last_name="Lovelace")
    book.record(school.graded("ada", passed=False), school.notebook(RIGHT), "first graded")
    with book.writing("oral exam", who="Kim\x1b[2J") as gradebook:
        gradebook.find_grade(QUIZ, NAME, NAME, "ada").manual_score = 1
    said = reach_grade("changes", "--class", school.classroom.root, "--student", "Ada Lovelace")
    first, second = said.splitlines()
    assert first.split("  ")[1].startswith(f"Ada Lovelace (ada), {NAME}: output_size 0, {QUIZ} 0; first graded (")
    assert second.endswith(f"{QUIZ} 0 → 1; oral exam (Kim)") and "\x1b" not in said
    said = reach_grade("changes", "--class", school.classroom.root, "--student", "Ada Lovelac", fails=True)
    assert "Did you mean Ada Lovelace (ada)?" in said


def test_nbgraders_configuration_starts_the_log(school):
    write_nbgrader_config(school.classroom.root)
    look = (
        "import sys; from pathlib import Path; from grading.gradebook.config import nbgrader_configuration as read; "
        "before = set(sys.modules); read(Path(sys.argv[1])); print(sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", look, school.classroom.root]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "'grading.gradebook.changes'" in loaded
