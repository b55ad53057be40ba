"""The course runs from its repository: a copy that pip made says so."""

import shutil
import subprocess
import sys

from utils.paths import COURSE, LESSONS, NOTEBOOKS, SOLUTIONS


def test_every_lesson_has_its_notebooks_beside_it():
    assert COURSE.is_dir()
    for lesson in LESSONS.glob("*.py"):
        assert all((folder / f"{lesson.stem}.ipynb").is_file() for folder in (NOTEBOOKS, SOLUTIONS))


def test_a_copy_among_pips_packages_is_refused_with_the_command_that_helps(tmp_path):
    (tmp_path / "utils").mkdir()
    (tmp_path / "reach_course-0.1.0.dist-info").mkdir()
    for name in ("__init__", "paths"):
        shutil.copy(COURSE / "utils" / f"{name}.py", tmp_path / "utils")
    done = subprocess.run([sys.executable, "-c", "import utils.paths"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0 and "pip install --editable" in done.stderr
