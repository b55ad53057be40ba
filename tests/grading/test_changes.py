"""Whoever changes a score, with whatever program: the log says who, when and why, and the log's sum is the score."""

import sqlite3

import pytest
from nbgrader.api import Gradebook
from sqlalchemy.exc import SQLAlchemyError

from grading.gradebook import changes
from grading.gradebook.book import Book
from grading.problems import GradingError
from tests.grading.school import NAME, QUIZ, RIGHT, School


@pytest.fixture
def school(tmp_path) -> School:
    return School(tmp_path / "class")


@pytest.fixture
def book(school):
    with Book(school.classroom) as book:
        book.register(school.assignment)
        yield book


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
