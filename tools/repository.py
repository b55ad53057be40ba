"""The repository's address, which stands once, in pyproject.toml, and what is rendered from it."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tools.lesson import BuildError

TEMPLATES = Path(__file__).parent / "templates"
ADDRESS = re.compile(r"https://github\.com/([\w-]+)/([\w.-]+?)(?:\.git)?/?")


@dataclass(frozen=True)
class Repository:
    """A repository on GitHub, which is where Colab and Binder fetch notebooks from."""

    owner: str
    name: str
    site: str = ""  # where the course is read on the web

    @property
    def address(self) -> str:
        return f"https://github.com/{self.owner}/{self.name}"

    def lesson_badges(self, lesson: str) -> str:
        """The line under a lesson's title."""
        return self.render("lesson_badges.md", lesson=lesson)

    def setup_cell(self) -> str:
        return self.render("setup_cell.py")

    def render(self, template: str, **more: str) -> str:
        text = Template((TEMPLATES / template).read_text(encoding="utf-8"))
        return text.substitute(**vars(self), address=self.address, **more).rstrip("\n")


def find(root: Path, override: str | None = None) -> Repository:
    """The repository of the course at `root`, or the one at the address `override` (a fork's).

    The site of a fork is where GitHub Pages serves it. Raises BuildError for an address that is not one of GitHub's.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    urls = project.get("urls", {})
    address = override or urls.get("Repository", "")
    match = ADDRESS.fullmatch(address)
    if match is None:
        where = "REPOSITORY" if override else "pyproject.toml: [project.urls] Repository"
        raise BuildError([f"{where} is {address!r}; it must look like https://github.com/you/your-fork"])
    owner, name = match.groups()
    site = "" if override else urls.get("Documentation", "")
    return Repository(owner, name, site or f"https://{owner.lower()}.github.io/{name}/")
