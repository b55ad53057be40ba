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

    @property
    def address(self) -> str:
        return f"https://github.com/{self.owner}/{self.name}"

    @property
    def pages(self) -> str:
        """Where GitHub Pages serves the site of a repository that says nothing else."""
        return f"https://{self.owner}.github.io/{self.name}/"

    def lesson_badges(self, lesson: str) -> str:
        """The line under a lesson's title."""
        return self.render("lesson_badges.md", lesson=lesson)

    def setup_cell(self) -> str:
        return self.render("setup_cell.py")

    def render(self, template: str, **more: str) -> str:
        text = Template((TEMPLATES / template).read_text(encoding="utf-8"))
        return text.substitute(owner=self.owner, name=self.name, address=self.address, **more).rstrip("\n")


def find(root: Path, override: str | None = None) -> Repository:
    """The repository of the course at `root`, or the one at the address `override` (a fork's).

    Raises BuildError for an address that is not one of GitHub's.
    """
    address = override or _urls(root).get("Repository", "")
    match = ADDRESS.fullmatch(address)
    if match is None:
        where = "REPOSITORY" if override else "pyproject.toml: [project.urls] Repository"
        raise BuildError([f"{where} is {address!r}; it must look like https://github.com/you/your-fork"])
    return Repository(*match.groups())


def site(root: Path, override: str | None = None) -> str:
    """The address of the course's web site, or of the one that the repository at `override` (a fork's) publishes."""
    own = "" if override else _urls(root).get("Documentation", "")
    return own or find(root, override).pages


def _urls(root: Path) -> dict[str, str]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("urls", {})
