"""What an author is given: a new lesson, the outline of the course, a table of mistakes, a test run that talks."""

import os
import re
import runpy
import shutil
import subprocess
import sys

import pytest

from tests import groups
from tools import build, declarations, mistakes, new, outline
from tools.lesson import BuildError
from tools.outline import Entry, Outline
from utils.checking import Exercise, proof
from utils.checks import convolution, exercises
from utils.paths import COURSE

pytest_plugins = ["pytester"]

# --- a new lesson ---

TITLE = "Recurrence: what does one state carry?"


def begin(root, number="99", topic="recurrence", title=TITLE) -> int:
    return new.main([number, topic, title], root)


@pytest.mark.parametrize("topic", ["recurrence", "convolution_over_time"])
def test_a_new_lesson_has_its_files_and_is_formatted(tmp_path, capsys, topic):
    assert begin(tmp_path, topic=topic) == 0
    files = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.py")}
    assert files == {
        f"lessons/99_{topic}.py",
        f"utils/checks/{topic}.py",
        f"utils/widgets/{topic}_explorer.py",
        "tests/test_lesson_99.py",
    }
    assert files <= set(capsys.readouterr().out.splitlines())
    for settings in ("pyproject.toml", "lessons/ruff.toml"):
        shutil.copy(COURSE / settings, tmp_path / settings)
    for command in (["format", "--check"], ["check"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    "asked, message",
    [
        ({"number": "5"}, "two digits"),
        ({"topic": "Back prop"}, "names a Python module"),
        ({"title": "Recurrence"}, "'Name: question?'"),
        ({"title": 'Recurrence: "what"?'}, "without quotation marks"),
        ({"number": "03"}, "lessons/03_receptive_field.py is there already"),
        ({"topic": "receptive_field"}, "lessons/03_receptive_field.py is there already"),
        ({"topic": "helper"}, "utils/checks/helper.py is there already"),
    ],
)
def test_a_lesson_that_cannot_be_begun_is_refused(tmp_path, capsys, asked, message):
    for name in ("lessons/03_receptive_field.py", "utils/checks/helper.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    assert begin(tmp_path, **asked) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.rglob("*recurrence*"))


# --- the outline ---


def course(*numbers: str) -> Outline:
    return Outline([Entry(f"{number}_topic", f"Lesson {number}", "why?", "code", 60) for number in numbers])


def test_the_way_on_skips_what_is_not_written_and_says_so():
    assert course("00", "01").next("00") == "**Next**: [01 · Lesson 01](01_topic.ipynb): why?"
    far = course("03", "08").next("03")
    assert far == "**Next**: [08 · Lesson 08](08_topic.ipynb): why? Lessons 04 to 07 are being written."
    assert course("11").next("11") == "**Next**: Lessons 12 to 14 are being written."
    assert course("11", "13").next("11").endswith("why? Lesson 12 is being written.")
    assert course("14").next("14") == "This was the last lesson."


def test_what_is_being_written_is_said_for_as_long_as_it_is():
    assert (
        "Lessons 04, 06 to 08 and 13 are being written."
        in course(*(number for number in outline.NUMBERS if number not in ("04", "06", "07", "08", "13"))).table()
    )
    assert course("00").being_written()
    assert course(*outline.NUMBERS).being_written() == ""
    assert "being written" not in course(*outline.NUMBERS).table()


def test_every_lesson_of_the_course_has_a_row():
    entries = outline.read(COURSE).entries
    assert [entry.stem for entry in entries] == [file.stem for file in build.lesson_files(COURSE, [])]
    assert all(entry.question and entry.write and entry.minutes for entry in entries)


# --- the map of lesson 00 ---


def entry(number, minutes=60):
    return outline.Entry(f"{number}_topic", f"Name {number}", f"question {number}?", "code", minutes)


def test_the_map_tells_what_exists_from_what_is_being_written():
    shown = outline.Outline([entry("00"), entry("02", 90), entry("04", 30)]).map("00")
    rows = [line for line in shown.splitlines() if line.startswith(("| ◆", "| ◇"))]
    assert [row.count("being written") for row in rows] == [0, 1, 0, 1, 0] + (len(outline.NUMBERS) - 5) * [1]
    assert "you are here" in rows[0] and "you are here" not in "".join(rows[1:])
    assert "[02 · Name 02](02_topic.ipynb) | question 02? |" in rows[2] and "90 |" in rows[2]
    assert "04 · Depth" not in shown and "05 · Recurrence | what fits in one state?" in rows[5]
    assert "00 → 02 → 03 (being written) → 08 (being written) → 11 (being written). About 2.5 hours" in shown
    assert "the 3 lessons that exist today. About 3 hours" in shown


def test_the_map_of_a_whole_course_says_nothing_of_writing():
    count = len(outline.NUMBERS)
    shown = outline.Outline([entry(number) for number in outline.NUMBERS]).map("00")
    assert "being written" not in shown and f"all {count} lessons. About {count} hours." in shown


def test_a_lesson_builds_on_earlier_ones():
    for number, planned in outline.PLAN.items():
        assert set(planned.needs) <= {earlier for earlier in outline.NUMBERS if earlier < number}


# --- the table of mistakes ---


def exercise_with_twins() -> Exercise:
    """Two of its mistakes give the same values on all cases."""
    found = Exercise(abs, lesson="99", points=1, hint="Drop the sign.")
    found.cases(lambda rng: iter([(-3,), (4,)]))
    found.wrong("kept", lambda x: x).says("You kept the sign.")
    found.wrong("untouched", lambda x: x).says("You changed nothing.")
    return found


def test_two_mistakes_that_coincide_are_named(monkeypatch, capsys):
    monkeypatch.setattr(mistakes, "exercises", lambda: [exercise_with_twins()])
    assert mistakes.report("99") > 0
    said = capsys.readouterr().out
    assert "abs: kept and untouched give the same values on all 2 cases: add a case that tells them apart" in said


def test_a_reference_that_breaks_is_said_with_its_place(monkeypatch, capsys):
    twins = exercise_with_twins()

    def broken(x):
        """A number in, a number out."""
        return missing(x)  # noqa: F821  # pyright: ignore[reportUndefinedVariable]

    twins.reference = broken
    monkeypatch.setattr(mistakes, "exercises", lambda: [twins])
    assert mistakes.report("99") > 0
    said = capsys.readouterr().out
    assert re.search(
        r"tests/test_authoring\.py:\d+: abs: the reference raised an error on case 1: NameError: .*missing", said
    )


def test_a_slip_that_breaks_is_told_from_one_that_is_not_named():
    twins = exercise_with_twins()
    twins.mistakes[0].answer = lambda x: x.nothing_like_it
    assert "raises an error of its own" in proof.mistake_problem(twins, twins.mistakes[0].name)


def test_a_lesson_that_is_in_order_has_nothing_to_report(monkeypatch, capsys):
    [size] = [exercise for exercise in exercises() if exercise.name == "output_size"]
    monkeypatch.setattr(mistakes, "exercises", lambda: [size])
    problems = mistakes.report("01")
    said = capsys.readouterr().out
    assert problems == said.count("output_size: ")
    assert f"│ {len(size.mistakes):<8} │ {len(size.mistakes):<16} │" in said


def test_an_exercise_that_cannot_be_declared_is_said_in_one_line():
    twins = exercise_with_twins()
    twins.cases(lambda rng: iter([5]))
    with pytest.raises(ValueError) as unpacked:
        twins.draw_cases(0)
    assert declarations.of_an_exercise(unpacked.value).startswith("abs: case 1 is int, which is no tuple")
    with pytest.raises(ValueError) as misspelt:
        convolution._layer([[1], [2, 3]], [[1]])
    assert re.match(r"utils/checks/convolution\.py:\d+: .", declarations.of_an_exercise(misspelt.value))
    with pytest.raises(ValueError) as another:
        int("x")
    assert not declarations.of_an_exercise(another.value)


def test_a_module_of_checks_that_cannot_be_read_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(declarations, "COURSE", tmp_path)
    module = tmp_path / "utils" / "checks" / "topic.py"
    module.parent.mkdir(parents=True)
    for source, said in {
        "x = 1\ndef f(:\n": "utils/checks/topic.py:2: SyntaxError: ",
        "\nfrom torch import nothing_like_it\n": "utils/checks/topic.py:2: ImportError: ",
        "x = missing\n": "utils/checks/topic.py:1: NameError: ",
    }.items():
        module.write_text(source)
        with pytest.raises(BuildError) as refused, declarations.told_in_one_line():
            runpy.run_path(str(module))
        assert refused.value.problems[0].startswith(said)


def test_a_new_lesson_is_green_as_it_stands(tmp_path):
    for folder in ("utils", "tools", "lessons"):
        shutil.copytree(COURSE / folder, tmp_path / folder)
    shutil.copy(COURSE / "pyproject.toml", tmp_path)
    assert begin(tmp_path, topic="moving_average") == 0
    check = (
        "from pathlib import Path\nfrom tools import build, mistakes, outline, repository\nroot = Path()\n"
        "build.compose_lesson(*build.lesson_files(root, ['99']), repository.find(root, None), outline.read(root))\n"
        "assert mistakes.report('99') == 0"
    )
    ran = subprocess.run(
        [sys.executable, "-c", check],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        text=True,
        capture_output=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


# --- a test run that talks ---

TALKED_ABOUT = """
import time

def test_fails():
    assert 6 * 9 == 42

def test_is_slow():
    time.sleep(2)
"""


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "xdist"])
def test_a_failure_is_shown_at_once_and_a_line_says_where_it_stands(pytester, workers, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(COURSE))
    pytester.makepyfile(test_it=TALKED_ABOUT)
    pytester.makeconftest("from tests import progress\nprogress.EVERY_S = 0.1")
    run = pytester.runpytest_subprocess("-q", "-p", "tests.progress", "-p", "no:cacheprovider", *workers)
    shown = [
        "FAILED test_it.py::test_fails (call)",
        "*assert (6 * 9) == 42*",
        "*1 of 2 (50%), 1 failed, last in test_it.py",
    ]
    run.stdout.fnmatch_lines([*shown, "*= FAILURES =*"])


def test_groups_follow_from_folder_and_fixtures(pytester):
    pytester.mkdir("attacks").joinpath("test_hostile.py").write_text("def test_it(): pass")
    pytester.makepyfile(test_widget="def test_it(lab): pass", test_plain="def test_it(): pass")
    items, _ = pytester.inline_genitems("-p", "no:cacheprovider")
    for item in items:
        groups.mark(item)
    marks = {item.path.name: sorted(mark.name for mark in item.iter_markers()) for item in items}
    assert marks == {"test_hostile.py": ["attack"], "test_widget.py": ["browser"], "test_plain.py": []}
