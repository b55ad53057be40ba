"""Which course lies here: its version, and how to bring a newer one."""

import re
import tomllib
from importlib.metadata import metadata
from pathlib import Path

from reach_course.trouble import NotSetUp


class Release:
    """The course in a folder: a clone, what a service fetched, an unpacked archive, or a package of pip's."""

    def __init__(self, course: Path):
        self.course = course
        self._project = course / "pyproject.toml"

    @property
    def version(self) -> str:
        if self._project.is_file():
            return tomllib.loads(self._project.read_text(encoding="utf-8"))["project"]["version"]
        return metadata("reach-course")["Version"]

    def must_have(self, lesson: str, version: str, fetched: bool) -> None:
        """Raises NotSetUp where the lesson is missing. A notebook of another `version` is told so.

        `fetched`: whether the set-up cell brings the course by itself.
        """
        here, course = self.version, self.course
        if not (course / "utils" / "checks" / f"{lesson.partition('_')[2]}.py").is_file():
            newer = self._newer(fetched)
            raise NotSetUp(
                f"The course in {course} (version {here}) has no lesson {lesson}. To get a newer one, {newer}."
            )
        if here != version:
            older = numbers(here) < numbers(version)
            remedy = self._newer(fetched) if older else f"take the notebook in {course / 'notebooks'}"
            print(
                f"This notebook is made for version {version} of the course; the one in {course} is version {here}. "
                f"If a cell does not run because of that, {remedy}."
            )

    def _newer(self, fetched: bool) -> str:
        if not self._project.is_file():
            return f"type %pip install --upgrade {_address()}/archive/HEAD.zip in a new cell, then restart the kernel"
        if fetched:
            return "rename that folder, restart the kernel and run this cell again"
        if (self.course / ".git").exists():
            return f'type !git -C "{self.course}" pull in a new cell, then restart the kernel'
        return "put the latest one in its place, then restart the kernel"


def numbers(version: str) -> list[int]:
    """The numbers of a version, so that two can be compared: 2.13.0 is newer than 2.6."""
    return [int(number) for number in re.findall(r"\d+", version)]


def _address() -> str:
    """Of the repository from which pip's package was built, so that a fork names its own."""
    links = dict(link.split(", ", 1) for link in metadata("reach-course").get_all("Project-URL") or [])
    return links["Repository"]
