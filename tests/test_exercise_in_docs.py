"""docs/checks.md shows a real exercise as it stands in the source, and fails to build where it is gone."""

import pytest

from tools import exercise_in_docs
from tools.lesson import BuildError
from utils.paths import COURSE

SOURCE = '''
@lesson.exercise(points=1, hint="Add.")
def total(x):
    """The sum."""
    return sum(x)


@total.cases
def _(rng):
    yield [1],


@other.cases
def _(rng):
    yield [2],


@total.recipe
def _(x, start=0):
    return sum(x, start)


total.slip("starts_at_one", start=1).says(
    "Start at 0."
)
total.wrong("first", lambda x: x[0]).says("Add them.")
'''


def test_the_parts_are_cut_out_as_they_stand():
    found = exercise_in_docs.parts(SOURCE, "total", ("starts_at_one",))
    assert found["reference"].startswith("@lesson.exercise(") and found["reference"].endswith("return sum(x)")
    assert found["cases"] == "@total.cases\ndef _(rng):\n    yield [1],"
    assert found["recipe"].endswith("return sum(x, start)")
    assert found["mistakes"] == 'total.slip("starts_at_one", start=1).says(\n    "Start at 0."\n)'


def test_what_is_gone_is_named():
    with pytest.raises(BuildError, match="mistakes"):
        exercise_in_docs.parts(SOURCE, "total", ("starts_at_one", "last"))
    with pytest.raises(BuildError, match="recipe"):
        exercise_in_docs.parts(SOURCE.replace("@total.recipe", "@total.record"), "total", ("first",))


def test_the_document_holds_what_the_blocks_give():
    text = (COURSE / "docs/checks.md").read_text(encoding="utf-8")
    for name, content in exercise_in_docs.blocks(COURSE).items():
        assert f"<!-- {name} -->\n{content}\n<!-- /{name} -->" in text
