"""Where the course finds its own files. tests/test_package.py looks at the course as pip installs it."""

from utils.paths import COURSE, DATA, KEPT, LESSONS, NOTEBOOKS, SOLUTIONS


def test_every_lesson_has_its_notebooks_beside_it():
    assert COURSE.is_dir()
    for lesson in LESSONS.glob("*.py"):
        assert all((folder / f"{lesson.stem}.ipynb").is_file() for folder in (NOTEBOOKS, SOLUTIONS))


def test_a_clone_keeps_what_a_learner_adds():
    assert COURSE / "data" == DATA and COURSE / ".reach" == KEPT
