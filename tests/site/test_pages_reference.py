"""Reference: what is public is described, the ruler first, and nothing else is."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

from tools.site.pages.reference import OPEN, ROOMS
from utils import reach


def described(pages, room: str) -> list[str]:
    return [one["id"] for one in pages[f"reference/{room}.html"].select("dt.sig[id]")]


def test_the_ruler_comes_first_and_whole(pages):
    assert next(iter(ROOMS)) == "reach"
    found = described(pages, "reach")
    assert found[0] == "utils.reach.influence"
    assert {f"utils.reach.{name}" for name in reach.__all__ if callable(getattr(reach, name))} <= set(found)


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_package_lists_is_described_with_words(room, pages):
    module = import_module(f"utils.{room}")
    names = [name for name in getattr(module, "__all__", []) if callable(getattr(module, name))]
    page = pages[f"reference/{room}.html"]
    for name in names:
        entry = page.find(id=f"utils.{room}.{name}")
        assert entry is not None and entry.find_next_sibling("dd").text.strip(), name


@pytest.mark.parametrize("room", OPEN)
def test_the_modules_of_an_open_package_are_described(room, pages):
    package = import_module(f"utils.{room}")
    found, listed = set(described(pages, room)), getattr(package, "__all__", [])
    for module in iter_modules(package.__path__, f"utils.{room}."):
        for name, value in vars(import_module(module.name)).items():
            own = getattr(value, "__module__", "") == module.name and callable(value) and not name.startswith("_")
            if own and name not in listed and module.name.rpartition(".")[2] not in listed:
                assert f"{module.name}.{name}" in found


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_private_or_a_constant_is_not_described(room, pages):
    found = described(pages, room)
    assert found
    assert not [one for one in found if any(part.startswith("_") for part in one.split("."))]
    assert not pages[f"reference/{room}.html"].select("dl.py.data")


def test_code_in_a_docstring_is_code_and_leads_to_what_it_names(pages):
    link = pages["reference/reach.html"].find("a", href="#utils.reach.receptive_field", class_="reference internal")
    assert link is not None and link.find("code")
