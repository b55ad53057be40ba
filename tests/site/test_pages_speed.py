"""Speed: every result with its target, in the table and in the text for those who do not see the pictures."""

import json

import pytest

from bench.targets import TARGETS
from tools.site.unbroken import unbroken
from utils.paths import COURSE

PAGE = "speed.html"
RESULTS = json.loads((COURSE / "bench/results.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TARGETS)
def test_a_result_is_in_the_table_and_never_better_than_it_was(name, pages):
    target, result = TARGETS[name], RESULTS[name]
    row = next(row for row in pages[PAGE].select("article tr") if row.find("td", string=unbroken(target.what)))
    cells = [cell.text for cell in row.find_all("td")]
    shown = float(cells[2].split()[0])
    assert 0.97 * result < shown <= result
    assert float(cells[3]) == target.at_least
    assert cells[4] == ("✓ yes" if result >= target.at_least else "✗ no")


def test_what_is_not_reached_is_said_first(pages):
    short = [target.what for name, target in TARGETS.items() if RESULTS[name] < target.at_least]
    first = pages[PAGE].select_one("article p").text
    assert all(what in first for what in short)
    assert ("Not reached" in first) == bool(short)


def test_the_pictures_say_in_words_what_they_show(pages, site):
    pictures = pages[PAGE].select("article img")
    assert len(pictures) == 3
    ratios, seconds, grading = (picture["alt"] for picture in pictures)
    compared = {name: target for name, target in TARGETS.items() if target.against}
    for name, target in compared.items():
        assert f"{target.what}: " in ratios and f"{target.what}: " in seconds
        assert f"has to reach {target.at_least:g}" in ratios
        assert len(RESULTS["details"][name]["seconds"]) >= 1
    assert f"reach-grade on one core: {RESULTS['grading_per_minute_one_core']:.0f}" in grading
    assert all((site / picture["src"]).read_bytes().lstrip().startswith(b"<?xml") for picture in pictures)


def test_the_kinds_of_processor_are_told_apart(pages):
    from tools.site.speed_figures import drawn, plot_ratios

    kinds = {"AMD, AVX2": {"scan_speedup": 10.0}, "Intel, AVX-512": {"scan_speedup": 20.0}}
    picture = drawn(1, plot_ratios, kinds, {"scan_speedup": TARGETS["scan_speedup"]})
    assert "10 and 20 times" in picture.alt
    assert drawn(1, plot_ratios, kinds, {"scan_speedup": TARGETS["scan_speedup"]}) == picture  # the same bytes again
