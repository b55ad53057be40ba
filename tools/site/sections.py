"""The sections of the site, in the order of its navigation, and the folder of sources that Sphinx reads."""

from pathlib import Path

from tools import files
from tools.lesson import BuildError
from tools.site.course import Course
from tools.site.pages import authors, home, instructors, lessons, measured, reference, sheet, speed
from utils.paths import COURSE

SECTIONS = [home, lessons, measured, speed, instructors, authors, reference, sheet]
"""In the order of the navigation. The home page leads to all the others."""


def whole(root: Path = COURSE) -> Course:
    """The course at `root`, with all that its pages must know of each other."""
    firsts = tuple(section.FIRST for section in SECTIONS if section is not home)
    return Course(root, firsts, {file: page for section in SECTIONS for file, page in section.SHOWS.items()})


def write_sources(course: Course, folder: Path) -> None:
    """Write the pages of every section, and the figures of the course, into `folder`.

    Raises BuildError if two sections write the same file.
    """
    contents: dict[str, str | bytes] = {
        f"figures/{figure.name}": figure.read_bytes() for figure in sorted((course.root / "docs/figures").glob("*.png"))
    }
    for section in SECTIONS:
        pages = section.pages(course)
        if twice := sorted(contents.keys() & pages.keys()):
            raise BuildError([f"{file} is written by two sections of the site" for file in twice])
        contents |= pages
    files.write({folder / file: content for file, content in contents.items()})
