"""Who imports whom: no two rooms of the house import each other, no arrow climbs, learners need what they install."""

import sys
import tomllib
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement

from tests.imports import imports
from utils.paths import COURSE

PACKAGES = ("reach_course", "utils", "grading", "tools", "bench", "lessons")
FORBIDDEN = [
    *(("reach_course", other) for other in ("utils", "grading", "tools", "bench", "lessons", "tests")),
    *(("utils", other) for other in ("grading", "tools", "bench", "lessons", "tests")),
    *(("lessons", other) for other in ("grading", "tools", "bench", "tests")),
    *(("grading", other) for other in ("tools", "bench", "lessons", "tests")),
    *(("grading.worker", other) for other in ("grading.sandbox", "grading.judging", "utils.checks")),
    *(("tools", other) for other in ("grading", "lessons", "tests")),
]


@cache
def files(package: str) -> dict[str, list[str]]:
    """{dotted name of each file: what it imports}."""
    found = {}
    for path in sorted(COURSE.joinpath(*package.split(".")).rglob("*.py")):
        parts = path.relative_to(COURSE).with_suffix("").parts
        found[".".join(parts)] = list(imports(path.read_text(encoding="utf-8"), ".".join(parts[:-1])))
    return found


def room(module: str) -> str:
    """A folder of a package, or a file that lies beside its folders: grading.judging, grading.batch."""
    return ".".join(module.split(".")[:2])


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """One circle in {who imports: whom}; empty if there is none."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def arrows(package: str) -> dict[str, set[str]]:
    """Which room of a package imports which others of it."""
    found: dict[str, set[str]] = {}
    for file, imported in files(package).items():
        others = {room(module) for module in imported if module.startswith(f"{package}.")}
        found.setdefault(room(file), set()).update(others - {room(file)})
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_rooms_import_each_other(package):
    assert circle(arrows(package)) == []


@pytest.mark.parametrize(("lower", "upper"), FORBIDDEN, ids=lambda name: name)
def test_no_arrow_climbs(lower, upper):
    climbing = [
        f"{file} imports {module}"
        for file, imported in files(lower).items()
        for module in imported
        if f"{module}.".startswith(f"{upper}.")
    ]
    assert climbing == []


@pytest.mark.parametrize("package", ["utils", "lessons"])
def test_what_learners_run_is_what_they_install(package):
    declared = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    installed = {Requirement(line).name for line in declared}
    distributions = packages_distributions()
    outside = {module.split(".")[0] for imported in files(package).values() for module in imported}
    outside -= {*sys.stdlib_module_names, *PACKAGES}
    assert [name for name in sorted(outside) if not installed & set(map(str.lower, distributions[name]))] == []


def test_the_set_up_needs_nothing_that_is_installed():
    outside = {module.split(".")[0] for imported in files("reach_course").values() for module in imported}
    assert outside <= {*sys.stdlib_module_names, "reach_course"}


def test_imports_are_found_wherever_they_stand():
    source = """
from typing import TYPE_CHECKING
import a.b
from . import c
from ..d import e
if TYPE_CHECKING:
    import not_this_one
def later():
    from f.g import h
"""
    found = set(imports(source, "top.middle"))
    assert found == {"typing.TYPE_CHECKING", "a.b", "top.middle.c", "top.d.e", "f.g.h"}


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) and not circle({"a": {"b", "c"}, "b": {"c"}})
