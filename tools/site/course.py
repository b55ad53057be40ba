"""What every page of the site is made from: the folder of the course, its address, its lessons."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tools import outline, repository
from tools.outline import Outline
from tools.repository import Repository
from utils.paths import COURSE


@dataclass(frozen=True)
class Course:
    """The course at `root`.

    Attributes:
        firsts: the first page of each section but home, in the order of the navigation.
        shown: {file of the repository: page of the site that shows it}.
    """

    root: Path = COURSE
    firsts: tuple[str, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def repository(self) -> Repository:
        return repository.find(self.root, os.environ.get("REPOSITORY"))

    @cached_property
    def outline(self) -> Outline:
        return outline.read(self.root)

    def read(self, file: str) -> str:
        """The text of a file, named from the course's folder."""
        return (self.root / file).read_text(encoding="utf-8")
