"""What the tests of grading share: a class, its gradebook, the command, and one sandbox or a skip that says why not."""

import os
import re
import sys

import pytest

from grading import cli
from grading.gradebook.book import Book
from grading.sandbox import NoSandbox, Sandbox
from tests.grading.school import School


@pytest.fixture(scope="session")
def sandbox():
    try:
        with Sandbox() as made:
            yield made
    except NoSandbox as error:
        if os.environ.get("REACH_CI"):
            raise
        pytest.skip(f"no sandbox: {error}")


@pytest.fixture
def reach_grade(tmp_path, monkeypatch, capsys):
    """Runs the command in `tmp_path`, as from a terminal that is 120 characters wide, and returns what it prints.

    Whatever command it proposes must be ready to be copied: for a class that is elsewhere it says which.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*words, fails: bool = False) -> str:
        monkeypatch.setattr(sys, "argv", ["reach-grade", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = "".join(capsys.readouterr())
        assert bool(ended.value.code) == fails, said
        if "--class" in words:
            proposed = re.findall(r"reach-grade [a-z].*", said)
            assert not [line for line in proposed if "--class" not in line], said
        return said

    return run


@pytest.fixture
def school(tmp_path) -> School:
    """A class of which nothing is collected yet."""
    return School(tmp_path / "class")


@pytest.fixture
def book(school):
    """Its gradebook, with the assignment in it."""
    with Book(school.classroom) as book:
        book.register(school.assignment)
        yield book
