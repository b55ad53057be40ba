"""The command as an instructor uses it: from a folder of files to feedback, a class page and a CSV."""

import ast
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grading import cli
from grading.classroom import Classroom
from grading.receipt import Receipt
from utils.paths import COURSE, NOTEBOOKS, SOLUTIONS

HEAVY = ("torch", "distributed", "nbgrader", "nbformat", "IPython", "numpy", "sqlalchemy")

ROSTER = """id,first_name,last_name,email
ada,Ada,Abe,ada@school.test
bo,Bo,Baker,bo@school.test
UNI\\cy,Cy,Cole,cy@school.test
"""
DUE = "assignment,student,due\n01_convolution,,2000-01-01 12:00\n01_convolution,bo@school.test,2000-01-02 12:00\n"


def test_from_a_folder_of_files_to_a_graded_class(tmp_path, sandbox, reach_grade):
    reach_grade("release", "01_convolution", "--zip")
    assert (tmp_path / "release.zip").is_file()
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    shutil.copy(SOLUTIONS / "01_convolution.ipynb", incoming / "ada_01_convolution.ipynb")
    shutil.copy(NOTEBOOKS / "01_convolution.ipynb", incoming / "bo_01_convolution.ipynb")
    (incoming / "nobody_01_convolution.ipynb").write_text("{}")
    (tmp_path / "roster.csv").write_text(ROSTER)

    said = reach_grade("grade", "incoming", "--roster", "roster.csv", "--workers", 1)
    assert "collected 2 submissions" in said and "nobody_01_convolution.ipynb" in said
    assert "3 students are on the roster" in said
    assert "graded now: 2" in said and "conv2d" in said
    assert said.count("01_convolution, not handed in (1): Cy Cole (UNI\\cy)") == 1

    (tmp_path / "dates.csv").write_text(DUE)
    Receipt("bo.ipynb", late=True).write(Classroom(tmp_path).receipt("bo", "01_convolution"))
    said = reach_grade("grade", "--workers", 1, "--due", "dates.csv")
    assert "kept from before: 2" in said and (tmp_path / "due.csv").read_text() == DUE
    assert "01_convolution: due 2000-01-01 12:00" in said and "and 1 with a date of their own" in said
    assert "Bo Baker (bo): late, says the platform, but not when" in said and "points are taken off" not in said

    assert "2 pages" in reach_grade("feedback")
    page = (tmp_path / "feedback" / "ada" / "01_convolution" / "01_convolution.html").read_text(encoding="utf-8")
    assert "Ada Abe" in page and "8" in page and "came in late" not in page
    reach_grade("report")
    page = (tmp_path / "report" / "01_convolution.html").read_text(encoding="utf-8")
    assert "Ada Abe" in page and "Cy Cole (UNI\\cy)" in page
    said = reach_grade("export", "scores.csv")
    assert "of 9 points, 8 for the exercises" in said and "1 for quizzes" in said
    with (tmp_path / "scores.csv").open(encoding="utf-8-sig") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert float(rows["ada"]["01_convolution"]) == 8 and float(rows["bo"]["01_convolution"]) == 0
    assert rows["UNI\\cy"]["01_convolution"] == ""


@pytest.mark.parametrize(
    "words, said",
    [
        (["grade"], "Nothing was released"),
        (["release", "77_nothing"], "77_nothing"),
        (["feedback"], "Nothing was released"),
        (["grade", "--isolation", "lukewarm"], "warm or cold"),
        (["grade", "--checks", "nowhere"], "nowhere"),
        (["export", "x.csv"], "Nothing was released"),
        (["collect", "."], "Nothing was released"),
        (["grade", "--checks", "no:M:where"], "no:M:where"),  # and no picture stands there for the letter
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(words, said, reach_grade):
    assert said in reach_grade(*words, fails=True)


def test_without_a_sandbox_nothing_is_graded(tmp_path):
    """A machine that has no bubblewrap, or forbids it."""
    empty = tmp_path / "bin"
    empty.mkdir()
    environment = os.environ | {"PYTHONPATH": str(COURSE), "PATH": str(empty)}
    command = [sys.executable, "-m", "grading.cli", "grade", "--class", str(tmp_path)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 2 and "bubblewrap" in run.stderr and "virtual machine" in run.stderr


def test_help_waits_for_nothing_heavy():
    heavy = ("torch", "numpy", "nbformat", "nbgrader", "distributed", "IPython", "sqlalchemy")
    code = f"import sys, grading.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_command_is_proposed_in_one_way_alone():
    """`Classroom.command` knows where the class is; a text that names a command by itself does not."""
    names = "|".join((command.name or "") for command in cli.app.registered_commands)
    proposal = re.compile(rf"reach-grade (?:{names})\b(?!.*--class)")
    found = [
        f"{path.name}: {text}"
        for path in (COURSE / "grading").rglob("*")
        if path.suffix in (".py", ".html", ".js")
        for text in _texts(path)
        if proposal.search(text)
    ]
    assert not found


def _texts(path: Path) -> Iterator[str]:
    """What a person may come to read of a module: its strings without the docstrings; all lines of other files."""
    content = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from content.splitlines()
        return
    tree = ast.parse(content)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


@pytest.mark.parametrize("module", ["grading.cli", "grading.batch", "grading.pages.publish", "grading.judging.process"])
def test_what_takes_seconds_to_import_is_imported_where_it_is_needed(module):
    """The command answers at once; a judge starts its sandbox before it imports torch itself."""
    allowed = () if module == "grading.cli" else ("nbformat",)
    look = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", look], cwd=COURSE, capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) <= set(allowed)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["collect", "incoming"], "collecting incoming …"),
        (["grade"], "grading what was released in"),
        (["feedback"], "writing the feedback …"),
        (["report"], "writing the class page …"),
        (["export", "x.csv"], "reading the gradebook …"),
        (["release", "77_nothing"], "releasing 77_nothing …"),
    ],
)
def test_each_command_says_first_what_it_does(words, said, reach_grade):
    assert reach_grade(*words, fails=True).startswith(said)


def test_a_run_says_what_it_takes_up(tmp_path, sandbox, reach_grade):
    reach_grade("release", "01_convolution")
    for student in ("ada", "bo"):
        path = Classroom(tmp_path).submitted(student, "01_convolution")
        path.parent.mkdir(parents=True)
        shutil.copy(NOTEBOOKS / "01_convolution.ipynb", path)
        said = reach_grade("grade", "--workers", 1)
        assert "starting 1 process …" in said
    assert "1 graded before, 1 to grade" in said
    batch = Classroom(tmp_path).batch("01_convolution")
    Classroom(tmp_path).result("bo", "01_convolution").unlink()
    batch.write_text(json.dumps(json.loads(batch.read_text()) | {"finished": False, "anew": True}))
    said = reach_grade("grade", "--workers", 1, "--again")
    assert "goes on: 1 of 2 graded again, 1 to grade" in said and "other rules" not in said


def test_a_schools_database_is_used_from_the_beginning(tmp_path, reach_grade):
    reach_grade("release", "01_convolution", "--database", f"sqlite:///{tmp_path}/school.db")
    assert (tmp_path / "school.db").is_file() and not (tmp_path / "gradebook.db").exists()
    said = reach_grade("release", "01_convolution", "--database", "sqlite:///other.db", fails=True)
    assert "nbgrader_config.py is there already" in said and not (tmp_path / "other.db").exists()
