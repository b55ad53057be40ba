"""The repository's address, which stands once, in pyproject.toml, and what is rendered from it."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import urlencode

from tools.lesson import BuildError

TEMPLATES = Path(__file__).parent / "templates"
BRANCH = "main"
ADDRESS = re.compile(r"https://github\.com/([\w-]+)/([\w.-]+?)(?:\.git)?/?")


@dataclass(frozen=True)
class Repository:
    """A repository on GitHub, which is where Colab, Kaggle and Binder fetch notebooks from.

    A notebook fetches the course at the tag of its own `version`, so that one that is kept for years still fits.
    """

    owner: str
    name: str
    version: str
    site: str = ""  # where the course is read on the web

    @property
    def address(self) -> str:
        return f"https://github.com/{self.owner}/{self.name}"

    def lesson_badges(self, lesson: str) -> str:
        """The line under a lesson's title."""
        return self.render("lesson_badges.md", lesson=lesson)

    def setup_cell(self, lesson: str) -> str:
        """The first cell of code in a lesson's notebooks."""
        return self.render("setup_cell.py", lesson=lesson)

    def hub_link(self, lesson: str) -> str:
        """What follows a JupyterHub's address: nbgitpuller brings the course up to date and opens this lesson."""
        opened = f"lab/tree/{self.name}/notebooks/{lesson}.ipynb"
        # What differs from link to link comes first, where it is seen.
        query = {"urlpath": opened, "repo": self.address, "branch": BRANCH}
        return "/hub/user-redirect/git-pull?" + urlencode(query)

    def render(self, template: str, **more: str) -> str:
        text = Template((TEMPLATES / template).read_text(encoding="utf-8"))
        return text.substitute(vars(self), address=self.address, **more).rstrip("\n")


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
    site = site or f"https://{owner.lower()}.github.io/{name}/"
    return Repository(owner, name, version=project["version"], site=site)
