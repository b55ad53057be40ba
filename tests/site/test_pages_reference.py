"""Reference: what is public is described, the ruler first, and nothing else is."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest

from tools.site.pages.reference import OPEN, ROOMS, first_sentence
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
def test_each_module_of_an_open_package_has_a_page_to_which_the_package_leads(room, pages):
    package = import_module(f"utils.{room}")
    listed = getattr(package, "__all__", [])
    leads = {link["href"] for link in pages[f"reference/{room}.html"].select("article li > p > a")}
    for module in iter_modules(package.__path__, f"utils.{room}."):
        for name, value in vars(import_module(module.name)).items():
            own = getattr(value, "__module__", "") == module.name and callable(value) and not name.startswith("_")
            if own and name not in listed and module.name.rpartition(".")[2] not in listed:
                page = module.name.removeprefix("utils.")
                assert f"{module.name}.{name}" in described(pages, page)
                assert f"{page}.html" in leads


def test_what_unfolds_a_part_of_the_navigation_has_a_name(pages):
    for room in OPEN:
        found = pages[f"reference/{room}.html"].select(".bd-sidebar-primary summary")
        assert len(found) == len(OPEN) and all(one["aria-label"] for one in found)


def test_the_first_page_says_what_each_part_is_about(pages):
    first = pages["reference/index.html"].find("article")
    assert [link["href"] for link in first.select("li > p > a")] == [f"{room}.html" for room in ROOMS]
    assert "how does information move through a network, and how far?" in first.text


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Sound, as Whisper's (Radford et al. 2022).", "Sound, as Whisper's (Radford et al. 2022)."),
        ("Made of the blocks\nof `lineage`. What is\nmore.", "Made of the blocks of `lineage`."),
        ("How far?\n\n`influence` measures it.", "How far?"),
    ],
)
def test_the_first_sentence_of_a_module_ends_where_a_reader_would_end_it(text, first):
    assert first_sentence(ModuleType("one", text)) == first


def test_what_is_private_or_a_constant_or_not_ours_is_not_described(pages):
    reference = {address: page for address, page in pages.items() if address.startswith("reference/")}
    for address, page in reference.items():
        found = [one["id"] for one in page.select("dt.sig[id]")]
        assert found or address == "reference/index.html" or page.select("article li > p > a"), address
        assert not [one for one in found if any(part.startswith("_") for part in one.split("."))]
        assert not page.select("dl.py.data")
        assert "Should be overridden by all subclasses" not in page.text  # torch's words for `forward`


def test_nothing_is_said_that_says_nothing(pages):
    assert [name for name, page in pages.items() if "Alias for field number" in page.get_text()] == []


def test_code_in_a_docstring_is_code_and_leads_to_what_it_names(pages):
    link = pages["reference/reach.html"].find("a", href="#utils.reach.receptive_field", class_="reference internal")
    assert link is not None and link.find("code")


def test_no_name_of_another_page_is_cut(page, served):
    cut = "[...document.querySelectorAll('{}')].filter(a => a.scrollWidth > a.clientWidth).map(a => a.innerText)"
    for width, links in {1280: ".bd-sidebar-primary a", 390: ".prev-next-area a"}.items():
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{served}reference/models.autoencoder.html")
        assert page.locator(links).count() >= 2
        assert page.evaluate(cut.format(links)) == []
