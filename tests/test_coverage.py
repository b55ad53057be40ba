"""The inventory: every line of a lesson that exists is covered by one of its cells, and the document says where."""

import re

import pytest

from tools import compose, inventory, lesson, rules
from utils.paths import COURSE

LESSONS = {file.stem[:2]: lesson.read(file) for file in sorted((COURSE / "lessons").glob("*.py"))}


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_covers_its_lines(number):
    covered = {line for cell in LESSONS[number].cells for line in inventory.numbers(cell)}
    missing = {line: inventory.INVENTORY[line].text for line in inventory.planned(number) - covered}
    assert not missing, "mark the cells that cover them on their markers, as in covers='3 5'"


def test_every_place_in_the_document_is_a_cell():
    document = (COURSE / "docs/coverage.md").read_text(encoding="utf-8")
    places = re.findall(r"\[(\d\d)\]\([^)]*\), [^<|]*?: `([\w-]+)`", document)
    assert len(places) >= len(LESSONS)
    for number, cell in places:
        assert cell in compose.cell_ids(LESSONS[number])


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
    marks = [inventory.Mark(30, "06_why_rnns_forget", "4 · Time", "abc")]
    rows = inventory.table(marks, ["06"]).splitlines()
    place = "[06](../solutions/06_why_rnns_forget.ipynb), 4 · Time: `abc`"
    assert rows[31].endswith(f"| {place}<br>*lesson 12 is being written* |")
    assert "*lesson 13 is being written*" in rows[11]
