"""What learners run asks for nothing that Linux alone has: a module, a signal, an encoding, a file name, a line end."""

import json
import ntpath
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from reach_course import openmp
from tests import learner
from utils import data, progress
from utils.checking import Lesson, learners
from utils.paths import COURSE, RECORDED

# --- names of files, ends of lines -------------------------------------------------------------------------------

RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
LONGEST = 120  # Windows' older programs take 260 characters, and a learner's folder has its share of them


def git(*command: str, folder: Path = COURSE) -> str:
    if not (COURSE / ".git").exists():
        pytest.skip("this copy of the course is no clone")
    done = subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True, encoding="utf-8")
    return done.stdout


def trouble(name: str) -> bool:
    """Whether Windows has no such file."""
    parts = name.split("/")
    return (
        len(name) > LONGEST
        or any(part.endswith((".", " ")) or part.lower().split(".")[0] in RESERVED for part in parts)
        or re.search(r'[<>:"|?*\\\x00-\x1f]', name) is not None
    )


def test_every_system_can_hold_the_files_of_the_course():
    names = git("ls-files", "-z").split("\0")[:-1]
    assert [name for name in names if trouble(name)] == []
    folded = Counter(name.casefold() for name in names)
    assert [name for name in names if folded[name.casefold()] > 1] == []
    assert [line for line in git("ls-files", "--stage").splitlines() if line.startswith("120000")] == []  # links


@pytest.mark.parametrize("name", ["a/aux.py", "Con", "a:b", "end.", "a/end /b", "what?.txt", "x" * 121, "LPT1.txt"])
def test_a_name_that_windows_lacks_is_seen(name):
    assert trouble(name) and not trouble("utils/auxiliary.py")


def test_a_clone_that_turns_line_ends_into_windows_own_has_ours(tmp_path):
    git("clone", "--quiet", "--config", "core.autocrlf=true", str(COURSE), str(tmp_path / "clone"))
    ends = git("ls-files", "--eol", folder=tmp_path / "clone").splitlines()
    assert ends and not [line for line in ends if "w/crlf" in line or "w/mixed" in line]


# --- encodings ---------------------------------------------------------------------------------------------------


def test_records_can_be_read_in_any_encoding():
    """Lessons read them in the system's own."""
    assert all(file.read_bytes().isascii() for file in RECORDED.glob("*.json"))


def run(command: list[str], **variables: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(COURSE)} | variables
    return subprocess.run([sys.executable, *command], env=environment, cwd=COURSE, capture_output=True)


def test_the_record_is_shown_in_any_encoding(tmp_path, encoding="cp1252"):
    record = tmp_path / "progress.json"
    record.write_text(json.dumps({"01": {"conv2d": "2026-01-31"}}), encoding="utf-8")
    done = run(["-m", progress.__name__], PYTHONIOENCODING=encoding, REACH_PROGRESS=str(record))
    assert done.returncode == 0, done.stderr.decode(encoding)
    assert re.search(r"conv2d +\| 3 +\| . 2026-01-31", done.stdout.decode(encoding)), done.stdout.decode(encoding)


def test_the_data_are_shown_in_any_encoding(tmp_path, encoding="cp1253"):  # which has no ×
    nobody = "http://127.0.0.1:9"  # where no mirror answers, nor lets anyone wait
    offline = {"HTTPS_PROXY": nobody, "REACH_DATA": str(tmp_path / "nowhere")}
    done = run(["-m", data.__name__], PYTHONIOENCODING=encoding, **offline)
    assert b"Traceback" not in done.stderr, done.stderr.decode(encoding)
    assert "tiny_shakespeare" in done.stdout.decode(encoding)


# --- a whole lesson without what Windows lacks -------------------------------------------------------------------

LESSON = """
import json, sys
from tests import windows_like
windows_like.pretend()
import matplotlib
matplotlib.use("Agg")
from utils.cells import SETUP_ID
names = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code" and cell["id"] != SETUP_ID:
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
"""


def test_a_lesson_runs_without_what_windows_lacks():
    """Its answers are right and its checks run, in the plainest locale, which cannot read UTF-8 by itself."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8"}
    lesson = str(COURSE / "solutions" / "00_start_here.ipynb")
    done = run(["-c", LESSON, lesson], **plain, REACH_PROGRESS="off", REACH_STRICT="checks,claims")
    assert done.returncode == 0, done.stderr.decode()
    assert "✓ reach_map: passed" in done.stdout.decode()


def test_an_answer_that_does_not_end_is_stopped_where_no_thread_has_a_clock(monkeypatch):
    monkeypatch.delattr(time, "pthread_getcpuclockid", raising=False)
    exercise = Lesson("00", __name__).exercise(points=1, hint="Add one.", seconds=0.4)(lambda x: x + 1)
    exercise.cases(lambda rng: [(1,), (2,)])

    def answer(x):
        while True:
            pass

    assert "It ran too long." in exercise.judge(answer).text()
    assert exercise.judge(lambda x: x + 1).passed


def test_the_courses_own_code_is_known_however_windows_spells_its_folder(monkeypatch):
    monkeypatch.setattr(learners.os.path, "normcase", ntpath.normcase)
    monkeypatch.setattr(learners, "_OTHERS", (ntpath.normcase(r"C:\Users\me\reach\utils"),))
    assert not learners.is_learners(r"c:\Users\me\Reach\utils\checking\calling.py")
    assert learners.is_learners(r"C:\Users\me\AppData\Local\Temp\ipykernel_12\345.py")


# --- two OpenMP libraries ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conda", "pip", "two"),
    [
        ("Library/bin/libiomp5md.dll", "libiomp5md.dll", True),
        ("lib/libomp.dylib", "libomp.dylib", True),
        ("lib/libiomp5.dylib", "libomp.dylib", True),
        ("lib/libomp.dylib", "libtorch.dylib", False),
        ("Library/bin/zlib.dll", "libiomp5md.dll", False),
    ],
)
def test_two_openmp_libraries_are_told_before_the_kernel_dies(tmp_path, monkeypatch, capsys, conda, pip, two):
    torch = tmp_path / "Lib" / "site-packages" / "torch"
    for file in (tmp_path / conda, torch / "lib" / pip):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(openmp, "_folder_of_torch", lambda: torch)
    monkeypatch.delenv("KMP_DUPLICATE_LIB_OK", raising=False)
    openmp.warn()
    assert ("OMP: Error #15" in capsys.readouterr().out) is two
    monkeypatch.setenv("KMP_DUPLICATE_LIB_OK", "TRUE")
    openmp.warn()
    assert capsys.readouterr().out == ""


# --- which tests are the learner's -------------------------------------------------------------------------------


def test_the_learners_tests_need_neither_the_grader_nor_what_authors_install():
    names = {file.name for file in learner.files()}
    assert {"test_any_system.py", "test_setup_cell.py", "test_checking.py", "test_data.py"} <= names
    assert {f"test_lesson_{number:02}.py" for number in range(15)} <= names
    assert not {"test_build.py", "test_course.py", "test_seeds.py", "test_another_process.py"} & names
    assert [file.name[:2] for file in learner.notebooks()] == list(learner.NOTEBOOKS)


def test_an_import_is_followed_through_our_own_modules():
    assert "jupytext" in learner.reached(COURSE / "tests" / "test_build.py")  # which imports tools.build, which does
    assert not learner.reached(COURSE / "tests" / "conftest.py") & learner.NOT_FOR_LEARNERS
