"""The build: lessons/NN_topic.py → solutions/ and notebooks/, on a small lesson of its own."""

import base64
import io
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from matplotlib.figure import Figure
from nbformat import NotebookNode
from nbformat.v4 import new_output

from tools import build, execution, nbgrader_cells, outputs, repository, stale
from utils.cells import WIDGET
from utils.claims import CLAIM

COURSE = Path(__file__).parents[1]

PYPROJECT = """
[project]
name = "fixture"
version = "1.0"
dependencies = []
[project.urls]
Repository = "https://github.com/someone/course"
"""

CHECKS = '''
from utils.checking import Lesson

lesson = Lesson("01", __name__)

@lesson.exercise(points=3, hint="Add it to itself.")
def double(x):
    """Twice x."""
    return 2 * x

@double.cases
def _(rng):
    yield 3,
    yield 5,
'''

LESSON = '''# %% [markdown] question="what is twice a number?" write="its double" minutes=5
# # 01 · Doubling: what is twice a number?
#
# About 5 minutes.

# %% setup=true
import fixture_checks as check
from utils.notebook import payoff

# %% [markdown]
# ### Exercise 1.1
#
# ●○○ · about 5 minutes · 3 points

# %% answer="double"
def double(x):
    """Twice x.

    >>> double(21)
    42
    """
    ### BEGIN SOLUTION
    return x + x
    ### END SOLUTION

# %% [markdown]
# Text may stand here.

# %% check="double"
check.double(double)

# %% payoff="double"
with payoff("double"):
    print(double(21))

# %% [markdown] quiz="why" points=2
# Why is twice a number even?
#
# ### BEGIN SOLUTION
# (b), because two divides it.
# ### END SOLUTION

# %% [markdown]
# <!-- next -->

# %%
print("the end")
'''

README = (
    "# Fixture\n<!-- badges -->\n<!-- /badges -->\n<!-- site -->\n<!-- /site -->\n"
    "<!-- lessons -->\n<!-- /lessons -->\nText.\n"
)
CITATION = "cff-version: 1.2.0\nrepository-code: https://github.com/nobody/nothing\n"


class Fixture:
    """A course with one lesson, 01_doubling, and the ways to build it."""

    def __init__(self, root: Path):
        self.root, self.executed = root, []
        self.source = root / "lessons" / "01_doubling.py"
        self.solution = root / "solutions" / "01_doubling.ipynb"
        self.learners = root / "notebooks" / "01_doubling.ipynb"
        (root / "lessons").mkdir(parents=True)
        (root / "pyproject.toml").write_text(PYPROJECT)
        (root / "fixture_checks.py").write_text(CHECKS)
        (root / "reach_course").mkdir()  # by which the set-up cell knows a course
        (root / "reach_course" / "__init__.py").write_text("def set_up(lesson, version, install): ...\n")
        (root / "tests").mkdir()
        (root / "tests" / "test_lesson_01.py").touch()
        self.source.write_text(LESSON)

    def build(self, *arguments: str) -> int:
        return build.main(list(arguments), root=self.root)

    def second_lesson(self) -> None:
        """A lesson 02 without exercises."""
        lesson = '# %% [markdown] question="and more?" write="nothing" minutes=9\n# # 02 · More\n\n# <!-- next -->\n'
        self.source.with_name("02_more.py").write_text(f"{lesson}\n# %% setup=true\nimport math\n")
        (self.root / "tests" / "test_lesson_02.py").touch()

    def replace(self, old: str, new: str) -> None:
        text = self.source.read_text()
        assert old in text
        self.source.write_text(text.replace(old, new, 1))

    def execute(self, notebook: NotebookNode, folder: Path, environment: Mapping[str, str]) -> NotebookNode:
        """Instead of a kernel: every cell runs, every check passes."""
        self.executed.append(len(notebook.cells))
        for count, cell in enumerate(outputs.code_cells(notebook), start=1):
            cell.execution_count = count
            if cell.source.startswith("check."):
                cell.outputs = [new_output("display_data", {"text/plain": "✓ double: passed. All agree."})]
        return notebook


def fixture_course(root: Path, patch: pytest.MonkeyPatch) -> Fixture:
    course = Fixture(root)
    double = runpy.run_path(str(root / "fixture_checks.py"))["double"]
    patch.setattr(build, "exercises", lambda: [double])
    patch.delenv("REPOSITORY", raising=False)
    return course


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The fixture course, with a stand-in for the kernel."""
    course = fixture_course(tmp_path, monkeypatch)
    monkeypatch.setattr(execution, "execute", course.execute)
    return course


@pytest.fixture(scope="module")
def really_built(tmp_path_factory):
    """The fixture course, built with a kernel."""
    with pytest.MonkeyPatch.context() as patch:
        course = fixture_course(tmp_path_factory.mktemp("course"), patch)
        assert course.build() == 0
    return course


def read(file: Path) -> NotebookNode:
    return nbformat.read(file, as_version=4)


def cell(notebook: NotebookNode, cell_id: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def ids(file: Path) -> list[str]:
    return [cell.id for cell in read(file).cells]


# --- what comes out ----------------------------------------------------------------------------------------------


def test_a_real_run_stores_outputs_and_says_how_long_it_took(really_built):
    solution = read(really_built.solution)
    nbformat.validate(solution)
    [payoff] = [cell for cell in solution.cells if "print(double(21))" in cell.source]
    assert payoff.outputs[0].text == "42\n"
    counts = [cell.execution_count for cell in outputs.code_cells(solution)]
    assert counts == list(range(1, len(counts) + 1))
    assert cell(solution, "check_double").outputs[0].data["text/plain"].startswith("✓ double: passed")


def test_a_learners_copy_gives_nothing_away(really_built):
    text = really_built.learners.read_text(encoding="utf-8")
    for secret in ("BEGIN SOLUTION", "END SOLUTION", "x + x", "because two divides it", "\n42"):
        assert secret not in text
    notebook = read(really_built.learners)
    nbformat.validate(notebook)
    for code in outputs.code_cells(notebook):
        assert code.outputs == [] and code.execution_count is None
    assert cell(notebook, "double").source.endswith('    """\n    raise NotImplementedError  # your code here')
    assert cell(notebook, "quiz_why").source.endswith("\n\n*Your answer here.*")


def test_an_untouched_copy_runs_to_its_end(really_built):
    not_strict = {"REACH_PROGRESS": "off"}
    executed = execution.execute(read(really_built.learners), really_built.learners.parent, environment=not_strict)
    assert executed.cells[-1].outputs[0].text == "the end\n"
    waiting = [cell for cell in executed.cells if 'payoff("double")' in cell.source]
    assert "waits for your `double`" in waiting[0].outputs[0].text


def test_a_solution_is_a_source_notebook_for_nbgrader(really_built):
    solution = read(really_built.solution)
    roles = {
        one.metadata.nbgrader.grade_id: [one.metadata.nbgrader[key] for key in ("grade", "solution", "locked")]
        for one in solution.cells
        if "nbgrader" in one.metadata
    }
    assert roles == {
        "double": [False, True, False],
        "check_double": [True, False, True],
        "quiz_why": [True, True, False],
    }
    assert cell(solution, "check_double").metadata.nbgrader.points == 3  # the exercise's
    assert cell(solution, "quiz_why").metadata.nbgrader.points == 2  # the lesson's
    assert "### BEGIN SOLUTION" in cell(solution, "double").source


def nbgrader(folder: Path, *arguments: str) -> str:
    here = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # it calls alembic
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, env=here, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_nbgrader_validates_a_solution(really_built):
    assert "passes all the tests" in nbgrader(really_built.solution.parent, "validate", really_built.solution.name)


def released(solutions: list[Path], school: Path) -> Path:
    """What nbgrader makes of these solutions, in a school with our stubs in its configuration."""
    (school / "source" / "reach").mkdir(parents=True)
    for file in solutions:
        (school / "source" / "reach" / file.name).write_bytes(file.read_bytes())
    stubs = {"python": nbgrader_cells.CODE_STUB}
    (school / "nbgrader_config.py").write_text(
        f"c.ClearSolutions.code_stub = {stubs!r}\nc.ClearSolutions.text_stub = {nbgrader_cells.TEXT_STUB!r}\n"
    )
    nbgrader(school, "generate_assignment", "reach")
    return school / "release" / "reach"


def test_nbgrader_releases_what_we_release(really_built, tmp_path):
    release = released([really_built.solution], tmp_path)
    assert read(release / really_built.solution.name).cells == read(really_built.learners).cells


def test_nbgrader_releases_the_lessons_of_the_course(tmp_path):
    solutions = sorted((COURSE / "solutions").glob("*.ipynb"))
    if not solutions:
        pytest.skip("no lesson has been built: run make build")
    release = released(solutions, tmp_path)
    for file in solutions:
        assert read(release / file.name).cells == read(COURSE / "notebooks" / file.name).cells


# --- the same in, the same out -----------------------------------------------------------------------------------


def test_the_same_lesson_gives_the_same_bytes(course, tmp_path, monkeypatch):
    other = fixture_course(tmp_path / "elsewhere", monkeypatch)
    monkeypatch.setattr(execution, "execute", course.execute)
    assert course.build() == other.build() == 0
    assert course.learners.read_bytes() == other.learners.read_bytes()
    assert course.solution.read_bytes() == other.solution.read_bytes()
    assert course.learners.read_bytes().endswith(b"}\n")


@pytest.mark.parametrize(
    "old, new",
    [
        ("# ### Exercise 1.1\n", "# ### Exercise one\n"),
        ('print("the end")', 'print("it ends")'),
        ("return x + x", "return 2 * x"),
        ("# Why is twice", "# Why, then, is twice"),
    ],
)
def test_a_change_in_one_cell_leaves_the_ids_of_the_others(course, old, new):
    course.build()
    before = ids(course.learners)
    course.replace(old, new)
    assert course.build() == 0
    assert sum(a != b for a, b in zip(before, ids(course.learners), strict=True)) <= 1


def test_a_new_cell_leaves_the_ids_of_the_others(course):
    course.build()
    before = ids(course.learners)
    course.replace("# %% answer", "# %% [markdown]\n# New.\n\n# %% answer")
    assert course.build() == 0
    after = ids(course.learners)
    assert len(after) == len(before) + 1
    assert set(before) < set(after)


def test_ids_are_unique_and_valid_even_for_cells_that_say_the_same(course):
    course.source.write_text(course.source.read_text() + 3 * "\n# %%\nprint(1)\n")
    assert course.build() == 0
    found = ids(course.solution)
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", one) for one in found)
    assert ids(course.learners) == found


# --- what is executed --------------------------------------------------------------------------------------------


def test_a_lesson_is_executed_once(course, capsys):
    assert course.build() == course.build() == 0
    assert len(course.executed) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"01_doubling: executed in \d+ s, \d+ kB", first)
    assert re.fullmatch(r"01_doubling: unchanged, \d+ kB", second)


def test_changed_code_is_executed_again(course):
    course.build()
    course.replace('print("the end")', 'print("it ends")')
    assert course.build() == 0
    assert len(course.executed) == 2


def test_changed_text_is_not_executed_and_keeps_the_outputs(course, capsys):
    course.build()
    course.replace("Text may stand here.", "Other text.")
    assert course.build() == 0
    assert len(course.executed) == 1
    assert "outputs kept" in capsys.readouterr().out
    solution = read(course.solution)
    assert any(cell.source == "Other text." for cell in solution.cells)
    assert cell(solution, "check_double").outputs


def test_force_executes_what_is_unchanged(course):
    course.build()
    assert course.build("--force") == 0
    assert len(course.executed) == 2


def test_a_stored_solution_that_is_damaged_is_executed_again(course):
    course.build()
    course.solution.write_text("{")
    assert course.build() == 0
    assert len(course.executed) == 2
    assert read(course.solution).cells


def test_only_the_lessons_that_are_named_are_built(course, capsys):
    course.second_lesson()
    assert course.build("02") == 0
    assert not course.solution.exists() and (course.root / "solutions" / "02_more.ipynb").exists()
    assert course.build("07") == 1
    assert "there is no lessons/07_" in capsys.readouterr().err


# --- a run that fails --------------------------------------------------------------------------------------------


def test_a_cell_that_raises_is_named_with_its_line_and_leaves_the_old_solution(really_built, monkeypatch, capsys):
    course = really_built
    monkeypatch.setattr(build, "exercises", lambda: [runpy.run_path(course.root / "fixture_checks.py")["double"]])
    before, source = course.solution.read_bytes(), course.source.read_text()
    learners = course.learners.read_bytes()
    course.replace('print("the end")', "1 / 0")
    line = course.source.read_text().splitlines().index("1 / 0")  # the marker stands one line above, counted from 1
    try:
        assert course.build() == 1
    finally:
        course.source.write_text(source)
    error = capsys.readouterr().err
    assert f"lessons/01_doubling.py:{line}: this cell failed" in error
    assert "ZeroDivisionError" in error and "\x1b" not in error
    assert course.solution.read_bytes() == before and course.learners.read_bytes() == learners


def test_a_check_that_fails_and_a_cell_that_hangs_stop_a_run(really_built):
    notebook = read(really_built.solution)
    answer = cell(notebook, "double")
    answer.source = "def double(x):\n    return x"
    with pytest.raises(execution.CellFailed, match="not yet") as failed:
        execution.execute(notebook, really_built.solution.parent)
    assert notebook.cells[failed.value.index].id == "check_double"
    answer.source = "import time\ntime.sleep(60)"
    with pytest.raises(execution.CellFailed, match="longer than 2 s"):
        execution.execute(notebook, really_built.solution.parent, seconds=2)


def result(text: str) -> NotebookNode:
    return new_output("execute_result", {"text/plain": text}, execution_count=1)


def run_that_stores(course: Fixture, monkeypatch: pytest.MonkeyPatch, *stored: NotebookNode) -> None:
    """From now on the last cell of the lesson has these outputs."""

    def execute(notebook, folder, environment):
        executed = course.execute(notebook, folder, environment)
        executed.cells[-1].outputs = list(stored)
        return executed

    monkeypatch.setattr(execution, "execute", execute)


@pytest.mark.parametrize(
    "stored, message",
    [
        (new_output("stream", name="stderr", text="UserWarning: old"), "standard error:\nUserWarning: old"),
        (new_output("display_data", {WIDGET: {"model_id": "a"}}), "without a still picture"),
        (new_output("error", ename="ValueError", evalue="no", traceback=[]), "ValueError: no"),
        (new_output("display_data", {CLAIM: {"text": "It is small", "holds": False}}), "did not hold: It is small"),
        (new_output("stream", text="x" * 1_000_000), "1 MB is the most"),
        (result("Text(0.5, 0, 'y')"), "the last line leaves Text(0.5, 0, 'y') on the page"),
        (result("[<matplotlib.lines.Line2D at 0x7f00>]"), "the last line leaves [<matplotlib"),
        (result("<generator object f at 0x7f00>"), "the last line leaves <generator"),
    ],
)
def test_what_a_solution_must_not_store_stops_the_build(course, monkeypatch, capsys, stored, message):
    run_that_stores(course, monkeypatch, stored)
    assert course.build() == 1
    error = capsys.readouterr().err
    assert "01_doubling" in error and message in error
    assert not course.solution.exists() and not course.learners.exists()


def test_a_check_without_a_pass_stops_the_build(course, monkeypatch, capsys):
    def execute(notebook, folder, environment):
        executed = course.execute(notebook, folder, environment)
        cell(executed, "check_double").outputs = []
        return executed

    monkeypatch.setattr(execution, "execute", execute)
    assert course.build() == 1
    line = LESSON.splitlines().index('# %% check="double"') + 1
    assert f"01_doubling.py:{line}: this check did not pass" in capsys.readouterr().err


# --- what is stored of a run -------------------------------------------------------------------------------------


def test_a_bar_is_stored_as_it_looks_at_the_end():
    pieces = ["\rtraining:   0%|    | 0/2 [00:00<?, ?it/s]", "\rtraining: 100%|████| 2/2 [00:01<00:00, 2it/s]   \n"]
    stored = outputs.clean([new_output("stream", text=piece) for piece in ["before\n", *pieces, "after\n"]])
    [output] = stored
    lines = [line.rstrip() for line in output.text.splitlines()]
    assert lines == ["before", "training: 100%|████| 2/2 [00:01<00:00, 2it/s]", "after"]


def test_bars_on_standard_error_are_dropped_and_warnings_are_not():
    bar = "\r  0%|          | 0/5 [00:00<?, ?it/s]\r100%|##########| 5/5 [01:00:00<00:00,  4.1s/it]\n"
    unknown = "\r12it [00:01, 9.4it/s]"
    assert outputs.clean([new_output("stream", name="stderr", text=text) for text in (bar, unknown)]) == []
    [left] = outputs.clean([new_output("stream", name="stderr", text=bar + "careful: 5 [of 12]\n")])
    assert left.text == "careful: 5 [of 12]"


def test_a_widget_with_a_book_is_stored_as_the_book():
    for_all = {"image/png": "AAAA", "text/html": "<figure>a book</figure>", "text/plain": "a widget"}
    [stored] = outputs.clean([new_output("display_data", {WIDGET: {"model_id": "a"}, **for_all})])
    assert stored.data == for_all


def test_a_widget_without_a_book_is_not_passed_over():
    bundle = {WIDGET: {"model_id": "a"}, "image/png": "AAAA", "text/plain": "a widget"}
    [stored] = outputs.clean([new_output("display_data", bundle)])
    assert stored.data == bundle


def test_the_build_asks_for_books_and_other_runs_do_not():
    assert build.WITH_BOOKS["REACH_BOOKS"] == "on"
    assert "REACH_BOOKS" not in execution.ENVIRONMENT


def test_a_figure_is_stored_with_a_palette_once():
    drawn = io.BytesIO()
    figure = Figure(figsize=(4, 2))
    figure.subplots().plot([1, 3, 2])
    figure.savefig(drawn, dpi=90)
    [stored] = outputs.clean([new_output("display_data", {"image/png": base64.b64encode(drawn.getvalue()).decode()})])
    assert len(base64.b64decode(stored.data["image/png"])) < len(drawn.getvalue()) / 2
    assert outputs.clean([stored]) == [stored]


# --- make check --------------------------------------------------------------------------------------------------


def test_check_is_content_after_a_build_and_writes_nothing(course, capsys):
    course.build()
    before = {file: file.read_bytes() for file in course.root.rglob("*.*")}
    assert course.build("--check") == 0
    assert {file: file.read_bytes() for file in course.root.rglob("*.*")} == before
    assert len(course.executed) == 1


def edit(file: Path, change) -> None:
    notebook = read(file)
    change(notebook)
    file.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def set_output(notebook: NotebookNode, stored: NotebookNode) -> None:
    notebook.cells[-1].outputs = [stored]


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda c: c.learners.unlink(), "notebooks/01_doubling.ipynb: missing"),
        (lambda c: c.solution.unlink(), "solutions/01_doubling.ipynb: missing"),
        (lambda c: c.solution.write_text("{"), "solutions/01_doubling.ipynb: missing, or no notebook"),
        (
            lambda c: c.replace("Text may", "Words may"),
            "lessons/01_doubling.py:26: notebooks/01_doubling.ipynb differs",
        ),
        (
            lambda c: c.replace("Text may", "Words may"),
            "lessons/01_doubling.py:26: solutions/01_doubling.ipynb differs",
        ),
        (
            lambda c: edit(c.learners, lambda nb: nb.cells.pop()),
            "01_doubling.py:46: notebooks/01_doubling.ipynb differs",
        ),
        (
            lambda c: edit(c.learners, lambda nb: nb.metadata.update(x=1)),
            "01_doubling.py:1: notebooks/01_doubling.ipynb",
        ),
        (lambda c: edit(c.learners, lambda nb: nb.cells[3].update(id="other")), "01_doubling.py:10: notebooks/"),
        (
            lambda c: edit(c.solution, lambda nb: nb.cells[-1].metadata.update(x=1)),
            "solutions/01_doubling.ipynb differs",
        ),
        (lambda c: edit(c.solution, lambda nb: nb.cells[-1].update(execution_count=None)), "never executed"),
        (lambda c: edit(c.solution, lambda nb: set_output(nb, new_output("error", ename="E", evalue="v"))), "E: v"),
        (lambda c: edit(c.solution, lambda nb: cell(nb, "check_double").update(outputs=[])), "did not pass"),
        (lambda c: edit(c.solution, lambda nb: set_output(nb, new_output("stream", text="x" * 10**6))), "1 MB"),
        (lambda c: (c.root / "notebooks" / "07_old.ipynb").write_text("{}"), "there is no lessons/07_old.py"),
        (lambda c: (c.root / "README.md").write_text(README), "README.md: what is generated"),
        (lambda c: (c.root / "tests" / "test_lesson_01.py").unlink(), "tests/test_lesson_01.py is missing"),
    ],
)
def test_check_names_what_is_not_up_to_date(course, capsys, damage, message):
    course.build()
    damage(course)
    assert course.build("--check") == 1
    assert message in capsys.readouterr().err
    assert len(course.executed) == 1


# --- malformed lessons -------------------------------------------------------------------------------------------

MALFORMED = {  # what is wrong: (old, new, a line at which it is reported, what is said)
    "no end": ("    ### END SOLUTION\n", "", "    ### BEGIN SOLUTION", "has no ### END SOLUTION"),
    "no begin": ("    ### BEGIN SOLUTION\n", "", "    ### END SOLUTION", "never began"),
    "nested": ("return x + x", "### BEGIN SOLUTION", "    ### BEGIN SOLUTION#2", "begins inside"),
    "misspelt marker": ("    ### BEGIN SOLUTION", "    ## BEGIN SOLUTION", "    ## BEGIN SOLUTION", "no marker"),
    "marker in text": ("# Text may stand here.", "# ### BEGIN SOLUTION", "# ### BEGIN SOLUTION", "answer or a quiz"),
    "marker elsewhere": ('print("the end")', "# END SOLUTION", "# END SOLUTION", "answer or a quiz"),
    "no end in a quiz": ("# ### END SOLUTION\n", "", "# ### BEGIN SOLUTION", "has no ### END SOLUTION"),
    "no solution": (
        "    ### BEGIN SOLUTION\n    return x + x\n    ### END SOLUTION",
        "    return x",
        "# %% answer",
        "has no",
    ),
    "stub outside": (
        "    ### BEGIN SOLUTION\n    return x + x\n    ### END SOLUTION",
        "    pass\n\n### BEGIN SOLUTION\ndouble = abs\n### END SOLUTION",
        "# %% answer",
        "stop 'Run all'",
    ),
    "broken stub": ("    ### BEGIN SOLUTION\n", "      ### BEGIN SOLUTION\n", "# %% answer", "not Python"),
    "no check": ('# %% check="double"\ncheck.double(double)\n', "", "# %% answer", "has no check"),
    "no answer": ('# %% answer="double"', "# %%", "# %% check", "has no answer of that name"),
    "unknown exercise": ('check="double"', 'check="doubel"', "# %% check", "Did you mean 'double'?"),
    "missing exercise": ('check="double"', 'check="other"', "# %% [markdown]", "the lesson does not"),
    "check far away": ("# Text may stand here.\n", "# T\n\n# %%\n1\n", "# %% check", "must follow its answer"),
    "long check": ("check.double(double)", "check.double(double)\nprint()", "# %% check", "one line: check.double("),
    "other check": ("check.double(double)", "print(double)", "# %% check", "one line: check.double("),
    "same name twice": (
        'quiz="why"',
        'quiz="why" points=1\n# Q\n\n# %% [markdown] quiz="why"',
        "# %% [markdown] quiz#2",
        "already",
    ),
    "no space": ('# %% answer="double"', '# %%answer="double"', "# %%answer", "a space is missing after # %%"),
    "no question": ('question="what is twice a number?" ', "", "# %% [markdown] write", "needs question"),
    "question elsewhere": (
        "# %% payoff",
        '# %% question="why?" payoff',
        "# %% question",
        "is not something that a cell",
    ),
    "words for minutes": ("minutes=5", 'minutes="5"', "# %% [markdown] q", "write minutes as a number"),
    "other minutes": ("minutes=5", "minutes=9", "# %% [markdown] q", "the text says 5 minutes, the marker 9"),
    "no way on": ("# <!-- next -->", "# The end.", "# %%#10", "holds <!-- next -->: there are 0"),
    "two ways on": ("# Text may", "# <!-- next --> Text may", "# %% [markdown]#5", "there are 2"),
    "no card": ("# ●○○ · about 5 minutes · 3 points\n", "", "# %% answer", "has no card above it"),
    "other points": ("· 3 points", "· 2 points", "# ●○○", "the card says 2, and 'double' is worth 3"),
    "long line": ('print("the end")', f'print("{90 * "-"} the end")', "print", "100 are the most"),
    "long line in a docstring": ('"""Twice x.', f'"""Twice x, {90 * "-"}', '    """Twice', "100 are the most"),
    "stub in a cell": ('print("the end")', "print(double(4))", "print(double(4))", "is a stub in the learner's copy"),
    "stub in a function": ('print("the end")', "def f():\n    return double(4)", "    return double", "is a stub"),
    "stored as a word": ('# %%\nprint("the', '# %% stored=true\nprint("the', "# %% stored", "write stored=false"),
    "the same output as a word": (
        '# %%\nprint("the',
        '# %% same_output="yes"\nprint("the',
        "# %% same",
        "same_output=true",
    ),
    "the same output in a comment": (
        'print("the',
        '# NBVAL_CHECK_OUTPUT\nprint("the',
        "# NBVAL",
        "on the cell's marker",
    ),
    "a number that nobody measures": ("# Text may", "# It takes 2.5 seconds. Text may", "# It takes", '"2.5 seconds"'),
    "no reason": ("# %% [markdown]\n# Text", '# %% [markdown] unclaimed=""\n# Text', "# %% [markdown] un", "say why"),
    "wrong example": (">>> double(21)\n    42", ">>> double(21)\n    41", "    >>> double", "gives 42, not 41"),
    "example that raises": (">>> double(21)", ">>> double(y)", "    >>> double", "NameError: name 'y'"),
    "unknown key": ('# %% payoff="double"', '# %% payof="double"', "# %% payof", "did you mean 'payoff'?"),
    "no value": ("# %% setup=true", "# %% setup", "# %% setup", "cannot read 'setup'"),
    "unreadable": ("# %% setup=true", "# %% setup=yes", "# %% setup", "cannot read 'setup=yes'"),
    "setup is false": ("# %% setup=true", "# %% setup=false", "# %% setup", "write setup=true"),
    "two kinds": ('check="double"', 'check="double" payoff="double"', "# %% check", "a cell is one thing"),
    "quiz in code": (
        '# %% [markdown] quiz="why" points=2',
        '# %% quiz="why" points=2',
        "# %% quiz",
        "must be markdown",
    ),
    "raw cell": ("# %%\nprint", "# %% [raw]\n# print", "# %% [raw]", "must be code or markdown"),
    "bad name": ('quiz="why"', 'quiz="Why not"', "# %% [markdown] quiz", "is no name"),
    "no setup": ("# %% setup=true", "# %%", "# %% [markdown]", "set-up cell is missing"),
    "late setup": ("# %% setup", "# %% [markdown]\n# Hi\n\n# %% setup", "# %% setup", "directly after the first"),
    "two setups": ('# %%\nprint("', '# %% setup=true\nprint("', "# %% setup#2", "there is one set-up cell"),
    "no points": (" points=2", "", "# %% [markdown] quiz", "what it is worth"),
    "words for points": ("points=2", 'points="2"', "# %% [markdown] quiz", "what it is worth"),
    "points elsewhere": ('check="double"', 'check="double" points=2', "# %% check", "on a quiz only"),
    "other title": ("# # 01 · Doubling", "# # Doubling", "# %% [markdown]", "'# 01 · Title'"),
    "other number": ("# # 01 · Doubling", "# # 02 · Doubling", "# %% [markdown]", "'# 01 · Title'"),
    "payoff before": ('payoff="double"', 'payoff="treble"', "# %% payoff", "has no answer of that name above it"),
    "payoff outside": ('with payoff("double"):', "if True:", "# %% payoff", "the whole cell must stand in"),
    "syntax": ('print("the end")', 'print("the end"', 'print("the end"', "not Python"),
    "text before": ("# %% [markdown]", "import math\n# %% [markdown]", "import math", "begins with a cell"),
    "marker in string": ('print("the end")', 's = """\n# %% hi\n"""', "# %% hi", "a line in a string begins"),
}


def line_of(text: str, beginning: str) -> int:
    """The number of the n-th line that begins so; "…#2" is the second."""
    beginning, nth = re.fullmatch(r"(.+?)(?:#(\d+))?", beginning).groups()
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if line.startswith(beginning)]
    return lines[int(nth or 1) - 1]


@pytest.mark.parametrize("old, new, where, message", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_lesson_is_an_error_with_its_line(course, capsys, old, new, where, message):
    course.replace(old, new)
    line = line_of(course.source.read_text(), where)
    assert course.build() == 1
    said = capsys.readouterr().err.splitlines()
    assert any(text.startswith(f"lessons/01_doubling.py:{line}: ") and message in text for text in said), said
    assert not course.executed and not (course.root / "solutions").exists()


@pytest.mark.parametrize(
    "text",
    [
        "It has 2,048 bits",
        "a loss of 2.31 bits",
        "97.5 % of them",
        "4 times as fast",
        "1 to 2 seconds",
        "by 3 ± 1 %",
        "12 ms",
    ],
)
def test_a_number_with_a_unit_needs_a_claim_in_its_section(course, capsys, text):
    course.replace("# Text may", f"# {text}. Text may")
    assert course.build() == 1
    assert "no claim(…) of this section measures it" in capsys.readouterr().err
    course.replace('print("the end")', 'claim("It is so", True, bits=2.0)\nprint("the end")')
    assert course.build() == 0


@pytest.mark.parametrize(
    "text",
    ["`2 bits`", "$n = 2 \\times 3$", "a 3 × 3 kernel", "10 minutes", "version 2.0", "16 streams", "the 2020s"],
)
def test_other_numbers_need_none(course, text):
    course.replace("# Text may", f"# {text}. Text may")
    assert course.build() == 0


def test_a_claim_in_another_section_is_none_of_this(course):
    course.replace("# Text may", "# ## Another\n#\n# After 3 seconds. Text may")
    last = '# %% [markdown]\n# ## The last\n\n# %%\nclaim("So", True, s=2)'
    course.replace('print("the end")', f'print("the end")\n\n{last}')
    assert course.build() == 1
    course.replace("# %% [markdown]\n# ## Another", '# %% [markdown] unclaimed="of a paper"\n# ## Another')
    assert course.build() == 0


def test_a_cell_with_the_same_output_is_held_by_nbval(course):
    course.replace('# %%\nprint("the end")', '# %% same_output=true\nprint("the end")')
    assert course.build() == 0
    for notebook in (course.solution, course.learners):
        *others, last = nbformat.read(notebook, as_version=4).cells
        assert last.metadata.tags == ["nbval-check-output"] and not any("tags" in cell.metadata for cell in others)


def test_a_marker_that_cannot_be_read_gives_one_message(course, capsys):
    course.replace('# %% answer="double"', '# %% answr="double"')
    assert course.build() == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_lesson_whose_module_of_checks_is_missing_is_told_its_name(course, monkeypatch, capsys):
    monkeypatch.setattr(build, "exercises", list)
    assert course.build() == 1
    [said] = capsys.readouterr().err.splitlines()
    assert "declare it in utils/checks/doubling.py" in said


def test_two_lessons_of_one_number_are_refused(course, capsys):
    course.source.with_name("01_more.py").write_text(LESSON)
    assert course.build() == 1
    assert "two files of lessons/ have the number 01" in capsys.readouterr().err


@pytest.mark.parametrize(
    "last",
    [
        "double = 3\nprint(double)",  # a name of the cell's own
        "def f(double):\n    return double(1)",  # an argument
        "payoff.double",  # an attribute
    ],
)
def test_a_name_that_is_not_the_stub_may_be_used(course, last):
    course.replace('print("the end")', last)
    assert course.build() == 0


def test_all_problems_are_listed_at_once_and_in_order(course, capsys):
    course.replace(" points=2", "")
    course.replace("check.double(double)", "check.double(double)\nprint()")
    course.source.with_name("02_other.py").write_text("import math\n")
    assert course.build() == 1
    said = [line.split(": ")[0] for line in capsys.readouterr().err.splitlines()]
    text = course.source.read_text()
    where = [line_of(text, "# %% check"), line_of(text, "# %% [markdown] quiz")]
    assert said == [*(f"lessons/01_doubling.py:{line}" for line in where), "lessons/02_other.py:1"]
    assert not course.executed


def test_a_lesson_has_a_name_with_a_number_and_is_text(course, capsys):
    course.source.with_name("doubling.py").write_text(LESSON)
    course.source.with_name("02_latin.py").write_bytes("# %% [markdown]\n# é".encode("latin-1"))
    assert course.build() == 1
    error = capsys.readouterr().err
    assert "lessons/doubling.py:1: a lesson's file is called NN_topic.py" in error
    assert "lessons/02_latin.py:1: this is not UTF-8 text" in error


# --- the repository's address ------------------------------------------------------------------------------------

FORK = "https://github.com/you/your-fork"


def test_badges_and_setup_cell_come_from_the_address_in_pyproject(course):
    course.build()
    first, setup = read(course.learners).cells[:2]
    title, empty, badges, *_ = first.source.split("\n")
    assert (title, empty) == ("# 01 · Doubling: what is twice a number?", "")
    colab = "https://colab.research.google.com/github/someone/course/blob/main/notebooks/01_doubling.ipynb"
    assert f"]({colab})" in badges
    assert "](https://mybinder.org/v2/gh/someone/course/HEAD?labpath=notebooks/01_doubling.ipynb)" in badges
    assert all(alt for alt in re.findall(r"!\[(.*?)\]", badges))
    kaggle = (
        "https://kaggle.com/kernels/welcome?src=https://github.com/someone/course/blob/main/notebooks/01_doubling.ipynb"
    )
    assert f"]({kaggle})" in badges
    assert 'address = "https://github.com/someone/course"' in setup.source
    assert setup.source.endswith('set_up("01_doubling", "1.0", install=hosted)')
    assert len(setup.source.splitlines()) <= 30


def test_a_fork_is_rendered_without_a_new_run(course, monkeypatch):
    (course.root / "README.md").write_text(README)
    (course.root / "CITATION.cff").write_text(CITATION)
    course.build()
    before = ids(course.solution)
    assert course.build("--repository", FORK) == 0
    assert len(course.executed) == 1
    assert ids(course.solution) == before
    for file in (course.learners, course.solution, course.root / "README.md", course.root / "CITATION.cff"):
        assert "you/your-fork" in file.read_text(encoding="utf-8")
        assert "someone/course" not in file.read_text(encoding="utf-8")
    assert (course.root / "README.md").read_text().endswith("<!-- /lessons -->\nText.\n")

    assert course.build("--check") == 1
    monkeypatch.setenv("REPOSITORY", FORK)
    assert course.build("--check") == 0


@pytest.mark.parametrize(
    "address", ["you/fork", "https://gitlab.com/you/fork", "https://github.com/you", "https://github.com/a/b'; rm c"]
)
def test_an_address_that_is_none_is_refused(course, capsys, address):
    assert course.build("--repository", address) == 1
    assert "must look like https://github.com/you/your-fork" in capsys.readouterr().err
    assert not course.solution.exists()


def test_an_address_may_end_as_git_writes_it(course):
    assert repository.find(course.root, FORK + ".git").address == FORK
    assert repository.find(course.root, FORK + "/").address == FORK
    assert repository.find(course.root, "").address == "https://github.com/someone/course"


def test_the_site_of_a_course_is_where_pyproject_says_and_that_of_a_fork_where_github_serves_it(course):
    project = course.root / "pyproject.toml"
    project.write_text(PYPROJECT + 'Documentation = "https://course.example/"\n')
    (course.root / "README.md").write_text(README)
    course.build()
    assert "(https://course.example/)" in (course.root / "README.md").read_text()
    course.build("--repository", "https://github.com/You/your-fork")
    assert "(https://you.github.io/your-fork/)" in (course.root / "README.md").read_text()
    project.write_text(PYPROJECT)
    assert repository.find(course.root).site == "https://someone.github.io/course/"


def test_a_readme_with_half_a_block_is_refused(course, capsys):
    (course.root / "README.md").write_text("<!-- badges -->\n")
    assert course.build() == 1
    assert "README.md: <!-- badges -->" in capsys.readouterr().err


def test_stored_notebooks_hold_no_times_and_no_versions(really_built):
    for file in (really_built.solution, really_built.learners):
        notebook = json.loads(file.read_text(encoding="utf-8"))
        assert notebook["metadata"]["language_info"] == {"name": "python"}
        assert set(notebook["metadata"]) - {"ran_with"} == {"kernelspec", "language_info"}
        assert all(set(cell["metadata"]) <= {"nbgrader", "deletable", "editable"} for cell in notebook["cells"])


# --- what lessons say of one another ---


def test_links_and_table_follow_the_lessons_that_there_are(course):
    (course.root / "README.md").write_text(README)
    assert course.build() == 0
    assert "**Next**: Lessons 02 to 14 are being written." in course.learners.read_text(encoding="utf-8")
    before = ids(course.learners)

    course.second_lesson()
    assert course.build("--check") == 1
    assert course.build() == 0
    text = course.learners.read_text(encoding="utf-8")
    assert "**Next**: [02 · More](02_more.ipynb): and more?" in text and "being written" not in text
    assert ids(course.learners) == before and len(course.executed) == 2  # one run of each lesson
    table = (course.root / "README.md").read_text(encoding="utf-8")
    assert "| [01 · Doubling](notebooks/01_doubling.ipynb) | what is twice a number? | its double | 5 |" in table
    assert "Lessons 00 and 03 to 14 are being written." in table


def test_an_output_that_depends_on_other_lessons_is_not_stored(course, monkeypatch, capsys):
    course.replace('# %%\nprint("the end")', '# %% stored=false\nprint("the end")')
    run_that_stores(course, monkeypatch, new_output("stream", text="3 of 28"))
    assert course.build() == 0
    assert read(course.solution).cells[-1].outputs == []
    edit(course.solution, lambda notebook: set_output(notebook, new_output("stream", text="3 of 29")))
    assert course.build("--check") == 1
    assert "against stored=false" in capsys.readouterr().err


def test_a_run_records_what_it_ran_with_and_a_build_without_a_run_keeps_the_record(course, capsys):
    (course.root / "utils").mkdir()
    (course.root / "utils" / "__init__.py").touch()
    module = course.root / "utils" / "notebook.py"
    module.write_text("# a comment\npayoff = 1\n")
    assert course.build() == 0
    assert stale.changed(course.root, course.source) == []
    module.write_text('"""A docstring."""\n\npayoff = 1\n')
    assert stale.changed(course.root, course.source) == []
    module.write_text("payoff = 2\n")
    course.replace("Text may", "Words may")
    assert course.build() == course.build("--check") == 0
    assert stale.changed(course.root, course.source) == ["utils/notebook.py"]
    assert stale.main(course.root) == 0
    assert "01_doubling: utils/notebook.py changed since it was last run" in capsys.readouterr().out
    assert course.build("--force") == 0
    assert stale.changed(course.root, course.source) == []


def test_a_lesson_is_stale_when_the_weights_that_it_names_have_changed(tmp_path):
    (tmp_path / "lessons").mkdir()
    lesson, weights = tmp_path / "lessons" / "08_plays.py", tmp_path / "data" / "weights" / "char_lstm.safetensors"
    lesson.write_text('name = "char_lstm"\n')
    assert stale.modules(tmp_path, lesson) == {}
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"old")
    before = stale.modules(tmp_path, lesson)
    weights.write_bytes(b"new")
    assert list(before) == ["data/weights/char_lstm.safetensors"]
    assert stale.modules(tmp_path, lesson) != before


def test_a_widget_without_a_browser_test_is_reported(course, capsys):
    assert course.build() == 0
    widgets = course.root / "utils" / "widgets"
    widgets.mkdir(parents=True)
    (widgets / "painter.py").write_text("def painter():\n    pass\n")
    (widgets / "helper.py").write_text("def show():\n    pass\n")
    assert course.build("--check") == 1
    [said] = capsys.readouterr().err.splitlines()
    assert "utils/widgets/painter.py: no test tries it in a browser" in said
    (course.root / "tests" / "test_lesson_01.py").write_text("def test_painter(lab):\n    pass\n")
    assert course.build("--check") == 0


# --- figures and drawings ---

PNG = "aGVsbG8="  # b"hello"


def marked_course(course, monkeypatch, outputs_of_last):
    """The fixture course with its last cell marked as a figure; that cell has these outputs."""
    course.replace('# %%\nprint("the end")', '# %% figure="the_end"\nplots.plot_end()')

    def execute(notebook, folder, environment):
        executed = course.execute(notebook, folder, environment)
        executed.cells[-1].outputs = outputs_of_last
        return executed

    monkeypatch.setattr(execution, "execute", execute)
    return course.root / "docs" / "figures" / "01_the_end.png"


def test_a_marked_figure_is_kept_outside_and_checked(course, monkeypatch, capsys):
    drawn = [new_output("display_data", {"image/png": PNG, "text/plain": "figure"})]
    picture = marked_course(course, monkeypatch, drawn)
    assert course.build() == 0
    assert picture.read_bytes() == b"hello"
    assert course.build("--check") == 0
    picture.write_bytes(b"another")
    assert course.build("--check") == 1
    assert "docs/figures/01_the_end.png" in capsys.readouterr().err


def test_a_figure_that_no_lesson_makes_is_reported_and_deleted(course, monkeypatch, capsys):
    picture = marked_course(course, monkeypatch, [new_output("display_data", {"image/png": PNG})])
    assert course.build() == 0
    course.second_lesson()
    others = [picture.with_name(name) for name in ("01_renamed.png", "07_gone.png")]
    kept = [picture.with_name(name) for name in ("02_of_another_lesson.png", "of_no_lesson.png")]
    for file in [*others, *kept]:
        file.write_bytes(b"")
    assert course.build("--check", "01") == 1
    said = capsys.readouterr().err
    assert [f"docs/figures/{file.name}: no lesson makes this figure" in said for file in others] == [True] * 2
    assert course.build("01") == 0
    assert sorted(picture.parent.iterdir()) == [picture, *kept]


def test_a_marked_cell_that_draws_nothing_is_an_error(course, monkeypatch, capsys):
    picture = marked_course(course, monkeypatch, [])
    assert course.build() == 1
    assert "draws none" in capsys.readouterr().err
    assert not picture.exists()
    assert not course.solution.exists()


def test_a_last_line_that_draws_does_not_echo(course, monkeypatch):
    drawn = [new_output("display_data", {"image/png": PNG, "text/plain": "figure"})]
    marked_course(course, monkeypatch, drawn)
    course.build()
    assert nbformat.read(course.learners, as_version=4).cells[-1].source == "plots.plot_end();"


def test_below_a_card_stands_what_of_the_library_an_answer_may_use(course, monkeypatch):
    course.build()
    assert "· 3 points  \nDo not use the course's `utils` in your answer." in card_of(course)
    checks = course.root / "fixture_checks.py"
    checks.write_text(CHECKS.replace("points=3", 'points=3, may_use=["utils.text"]'))
    monkeypatch.setattr(build, "exercises", lambda: [runpy.run_path(checks)["double"]])
    course.build()
    assert "· 3 points  \nOf the course's `utils`, you may use `utils.text` in your answer." in card_of(course)
    checks.write_text(CHECKS.replace("points=3", "points=3, library_counts=False"))
    course.build()
    assert "Do not use the course's `utils` in your answer: one that does so does not count." in card_of(course)


def card_of(course: Fixture) -> str:
    (text,) = [cell.source for cell in read(course.learners).cells if "●○○" in cell.source]
    return text
