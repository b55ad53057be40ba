"""The inventory: every line of a lesson that exists is covered by one of its cells, and the document says where."""

import re

import pytest

from tools import inventory, lesson, rules
from utils.paths import COURSE

LESSONS = {file.stem[:2]: lesson.read(file) for file in sorted((COURSE / "lessons").glob("*.py"))}


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_covers_its_lines(number):
    covered = {line for cell in LESSONS[number].cells for line in inventory.numbers(cell)}
    missing = {line: inventory.INVENTORY[line].text for line in inventory.planned(number) - covered}
    assert not missing, "mark the cells that cover them on their markers, as in covers='3 5'"


PLACE = re.compile(r"\[(\d\d)\]\([^)]*\), (.+?)(?:: ((?:`[\w-]+`(?:, )?)+))?")


def test_every_place_in_the_document_is_a_section_and_its_exercises_stand_there():
    rows = re.findall(r"^\| \d+ \|.*", (COURSE / "docs/coverage.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == len(inventory.INVENTORY)
    for row in rows:
        places = row.removesuffix(" |").rpartition(" | ")[2].split("<br>")
        assert len(places) == len(set(places))
        for number, section, exercises in (PLACE.fullmatch(place).groups() for place in places):
            marks = [mark for mark in inventory.covered(LESSONS[number]) if mark.section == section]
            assert set(re.findall(r"[\w-]+", exercises or "")) <= {mark.exercise for mark in marks}
            assert marks


def test_the_lessons_of_the_plan_share_out_all_lines():
    assert list(inventory.INVENTORY) == list(range(1, 70))
    assert all(line.lessons for line in inventory.INVENTORY.values())


def write(tmp_path, marker):
    file = tmp_path / "05_states.py"
    file.write_text(f"# %% [markdown]\n# # 05 · States\n\n# %% {marker}\nprint(1)\n")
    return lesson.read(file)


def test_a_line_of_another_lesson_is_refused(tmp_path):
    said = rules.problems(write(tmp_path, 'covers="14 32"'), {})
    assert any("line 32 of the inventory is not lesson 05's, which are 14, 15" in one for one in said)


def test_what_is_no_number_is_refused(tmp_path):
    said = rules.problems(write(tmp_path, 'covers="cell"'), {})
    assert any("lines of the inventory are numbers" in one for one in said)


def test_the_table_names_the_section_and_what_is_missing():
    here = "06_why_rnns_forget", "4 · Time"
    marks = [inventory.Mark(30, *here, exercise) for exercise in ("steps", "", "steps", "time")]
    rows = inventory.table(marks, ["06"]).splitlines()
    place = "[06](../solutions/06_why_rnns_forget.ipynb), 4 · Time: `steps`, `time`"
    assert rows[31].endswith(f"| {place}<br>*lesson 12 is being written* |")
    assert "*lesson 13 is being written*" in rows[11]
