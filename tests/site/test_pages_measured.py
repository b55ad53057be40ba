"""What we measured: no claim is missing, each has its numbers, and it leads to where it was measured."""

import json
import re
from statistics import fmean

import pytest

from tools import files, outline
from tools.course_report import LessonResult
from tools.site.pages import measured
from utils.paths import COURSE

PAGE = "measured.html"
LESSONS = [one.stem for one in outline.read(COURSE).entries]
RAISED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?: × 10[⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")


def claims(stem: str) -> list[dict]:
    result = LessonResult(stem[:2], stem, 0, None)
    result.read_outputs(files.read(COURSE / f"solutions/{stem}.ipynb"))
    return result.claims


def plain(text: str) -> str:
    """Without what typesetting changes: quotes, dots and blanks, and the signs around code."""
    return " ".join(text.translate(str.maketrans("’‘“”", "''\"\"", "`")).replace("…", "...").split())


@pytest.fixture(scope="module")
def entries(pages) -> dict[str, str]:
    """{sentence of each claim on the page: what stands below it}."""
    return {plain(one.text): one.find_next_sibling("dd").text for one in pages[PAGE].find_all("dt")}


def numbers(text: str) -> list[float]:
    found = (re.sub(r" × 10(.+)", lambda power: f"e{power[1].translate(RAISED)}", one) for one in NUMBER.findall(text))
    return [float(one.replace(",", "")) for one in found]


def wanted(value) -> list[float]:
    """What a reader has to find of a measured value: the number; the mean, least and largest of several."""
    if isinstance(value, str):
        return []
    return [value] if isinstance(value, int | float) else [fmean(value), min(value), max(value)]


@pytest.mark.parametrize("stem", LESSONS)
def test_every_claim_is_there_with_all_its_numbers(stem, entries):
    stored = claims(stem)
    assert stored
    for claim in stored:
        below = next(text for said, text in entries.items() if said.startswith(f"✓ {plain(claim['text'])}"))
        found = numbers(below)
        for name, value in claim["measured"].items():
            assert name.replace("_", " ")[:3].strip() in below
            assert all(any(one == pytest.approx(want, rel=1e-3) for one in found) for want in wanted(value)), below
            assert not isinstance(value, str) or plain(value) in plain(below)


def test_the_page_says_how_many_claims_there_are_and_which_versions_ran(pages, entries):
    count = sum(len(claims(stem)) for stem in LESSONS)
    assert len(pages[PAGE].find_all("dt")) == count
    text = pages[PAGE].find("article").text
    assert f"all {count} claims" in text and re.search(r"Python 3\.\d+\.\d+, torch \d", text)


@pytest.mark.parametrize("stem", LESSONS)
def test_a_heading_leads_into_its_lesson(stem, pages):
    addresses = [link.get("href", "") for link in pages[PAGE].select("article h3 a")]
    sections = {claim["section"] for claim in claims(stem)}
    assert sum(address.startswith(f"lessons/{stem}.html#") for address in addresses) >= len(sections)


def test_a_claim_that_does_not_hold_says_so():
    claim = {"text": "It is *small*", "holds": False, "measured": {"size": 2.5e-9}, "unit": "mm", "of": "tiny_set"}
    said = measured.entry(claim)
    assert said.startswith(r"✗ does not hold: It is \*small\* [on tiny set]")
    assert "size **2.5 × 10⁻⁹ mm**" in said


def test_seeds_that_agree_are_not_a_range():
    claim = {"text": "All", "holds": True, "measured": {"CNN": [100.0] * 3, "RNN": [1.0, 2.0]}, "unit": "%", "of": None}
    assert measured.entry(claim).endswith(
        ": [CNN **100 %** (each of 3)]{.measured} [RNN **1.5 %** (mean of 2, 1 to 2)]{.measured}\n"
    )


def test_a_series_stands_in_the_order_of_its_numbers():
    claim = {"text": "It grows", "holds": True, "of": None, "unit": "", "section": ""}
    shown = measured.entry(claim | {"measured": {"after_128_s": 4, "after_2_5_s": 2, "after_8_s": 3, "at_once": 1}})
    assert re.findall(r"\[(.*?) \*\*", shown) == ["after 2.5 s", "after 8 s", "after 128 s", "at once"]


def test_code_is_code_and_nothing_shows_its_markup(pages):
    article = pages[PAGE].find("article")
    assert [str(one) for one in article.select("dt code, h3 code")]
    assert "`" not in article.text


def test_the_title_of_an_experiment_is_its_first_sentence(pages):
    titles = [title.text for title in pages[PAGE].select("#recorded-experiments h3")]
    assert len(titles) == len(list((COURSE / "docs/recorded").glob("*.json")))
    assert not [title for title in titles if ". " in title or "docs/" in title]


@pytest.mark.parametrize("file", sorted((COURSE / "docs/recorded").glob("*.json")), ids=lambda file: file.stem)
def test_every_recorded_experiment_has_its_command_its_machine_and_its_file(file, pages):
    record = json.loads(file.read_text(encoding="utf-8"))
    link = next(link for link in pages[PAGE].select("article a") if link.text == f"docs/recorded/{file.name}")
    said = link.find_parent("section").text
    assert record["command"] in said and record["machine"] in said
    assert "Writes" not in said
