"""Sheet: two sides of A4, each symbol once, below the lesson in which it begins."""

import re

from nbformat.v4 import new_markdown_cell, new_notebook

from tools import outline
from tools.site.pages.sheet import symbols_by_lesson
from utils.paths import COURSE
from utils.plotting.symbols import FLOWS, LETTERS, SYMBOLS

PAGE = "sheet.html"
SIDES = re.compile(rb"/Type\s*/Page\b")
A4 = re.compile(rb"/MediaBox\s*\[\s*0 0 59\d(?:\.\d+)? 84\d(?:\.\d+)?")


def test_it_prints_on_two_sides_of_a4(served, page):
    page.goto(served + PAGE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for options in ({"prefer_css_page_size": True}, {"format": "A4"}):
            pdf = page.pdf(**options)
            assert len(SIDES.findall(pdf)) == 2
            assert len(A4.findall(pdf)) == 2


def test_the_page_of_lesson_00_is_on_it(pages):
    tables = pages[PAGE].select("article table")
    assert [len(table.select("tbody tr")) for table in tables] == [len(LETTERS), len(SYMBOLS), len(FLOWS), 3]
    ruler = [row.td.text for row in tables[3].select("tbody tr")]
    assert ruler == ["influence", "receptive_field", "context_horizon"]
    assert all(row.find("math") for row in tables[3].select("tbody tr"))


def test_every_later_lesson_has_its_symbols_and_a_link(pages):
    later = pages[PAGE].find(id="symbols-that-begin-in-a-later-lesson")
    linked = [link["href"] for link in later.select("h3 a[href^=lessons]")]
    assert linked == [f"lessons/{one.stem}.html" for one in outline.read(COURSE).entries[1:]]
    assert all(section.find("math") for section in later.find_all("section"))


def test_a_symbol_stands_below_the_lesson_in_which_it_begins():
    first = new_markdown_cell("| symbol | in code | shape |\n| --- | --- | --- |\n| $x$ | `x` | (B,) |")
    other = new_markdown_cell("| model | bits |\n| --- | --- |\n| $z$ | 3 |")
    rows = ["| $x$ | `y` | off |", "| $x$, $f$ | `f` | shut |", "| | `g` | |", "| $r$ | what you return, (B,) | |"]
    second = new_markdown_cell("\n".join(["| symbol | variable | near 0 |", "| :-: | --- | --- |", *rows]))
    found = symbols_by_lesson({"00": new_notebook(cells=[first, other]), "01": new_notebook(cells=[second])})
    assert [(row.symbol, row.said) for row in found["00"]] == [("$x$", "`x`; (B,)")]
    assert [(row.symbol, row.said) for row in found["01"]] == [("$x$, $f$", "`f`; near 0: shut"), ("$r$", "(B,)")]
