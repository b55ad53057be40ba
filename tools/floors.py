"""`python -m tools.floors EXTRA …`: pyproject.toml's lower bounds as constraints, `torch==2.6` for `torch>=2.6`.

With `pip install --constraint` they give the oldest environment that pyproject.toml promises to work, for whoever
installs the course with these extras. What has no lower bound there has no line, and pip takes the newest that fits.
"""

import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from utils.paths import COURSE


def floors(pyproject: Path, extras: Iterable[str]) -> list[str]:
    """One line for each distribution, sorted: where several extras name it, the highest of their bounds.

    Raises KeyError for an extra that pyproject.toml does not have.
    """
    found: dict[str, Version] = {}
    for requirement in _requirements(tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"], extras):
        for bound in requirement.specifier:
            if bound.operator in (">=", "==", "~="):
                version = Version(bound.version)
                found[requirement.name] = max(version, found.get(requirement.name, version))
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _requirements(project: dict, extras: Iterable[str]) -> Iterator[Requirement]:
    """What every installation needs, and what these extras add; an extra may name others: `reach-course[lab]`."""
    waiting, seen = [*project["dependencies"]], set()
    for extra in extras:
        waiting += project["optional-dependencies"][extra]
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.name != project["name"]:
            yield requirement
            continue
        for extra in requirement.extras - seen:
            seen.add(extra)
            waiting += project["optional-dependencies"][extra]


if __name__ == "__main__":
    try:
        print(*floors(COURSE / "pyproject.toml", sys.argv[1:]), sep="\n")
    except KeyError as unknown:
        sys.exit(f"pyproject.toml has no extra {unknown}.")
