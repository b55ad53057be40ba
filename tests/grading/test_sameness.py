"""Layout is no change of a cell, and everything else is one."""

import ast

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.submission.sameness import LONGEST, essence, same_code
from utils.paths import NOTEBOOKS, SOLUTIONS

LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def code_of(lesson: str) -> list[str]:
    """The code cells of a lesson, learner's and solved."""
    paths = [folder / f"{lesson}.ipynb" for folder in (NOTEBOOKS, SOLUTIONS)]
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    return [cell.source for notebook in notebooks for cell in notebook.cells if cell.cell_type == "code"]


LAYOUTS = {
    "another formatter": lambda source: ast.unparse(ast.parse(source)),
    "Windows' line ends": lambda source: source.replace("\n", "\r\n"),
    "trailing blanks": lambda source: "".join(f"{line}  \n" for line in source.split("\n")),
    "blank lines around it": lambda source: f"\n\n{source}\n\n",
    "a comment above it": lambda source: f"# %% I have read this cell\n{source}",
    "timed": lambda source: f"%%time\n{source}",
    "timed, its output kept back": lambda source: f"%%capture --no-stderr\n%%time\n\n{source}",
    "a magic above it": lambda source: f"%matplotlib widget\n%config InlineBackend.figure_format = 'svg'\n{source}",
    "a package installed": lambda source: f"!pip install einops\n%pip install einops\n{source}",
}


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_cell_in_another_layout_is_the_same(lesson, layout):
    different = [source for source in code_of(lesson) if not same_code(source, layout(source))]
    assert different == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_two_cells_of_a_lesson_are_the_same(lesson):
    released = nbformat.read(NOTEBOOKS / f"{lesson}.ipynb", as_version=4)
    sources = [cell.source for cell in released.cells if cell.cell_type == "code"]
    assert len({essence("code", source) for source in sources}) == len(set(sources))


SAME = [
    ("x = 'a'", 'x = "a"'),
    ("f(1, 2)", "f(\n    1,\n    2,\n)"),
    ("if (a): b", "if a:\n    b"),
    ("x = u'a'", "x = 'a'"),
    ("del (a, b)", "del a, b"),
    ("import b, a\nfrom c import e, d", "from c import d, e\nimport a\nimport b"),
    ("plot(x);", "plot(x)"),
    ('def f():\n    """One.\n\n        Two.\n    """', 'def f():\n    """One.\n\n    Two."""'),
    ("%time x = f()", "x = f()"),
    ("%load_ext autoreload\n%autoreload 2\nx = 1", "x = 1"),
    ("x = f\nx?", "x = f"),
    ("%matplotlib inline\nx = 1", "%matplotlib notebook\nx = 1"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_is_layout(one, other):
    assert same_code(one, other)
    assert same_code(other, one)


DIFFERENT = [
    ("x = 1", "x = 2"),
    ("x = 'a'", "x = 'a '"),
    ("x = 1", "x = 1.0"),
    ("f(a, b)", "f(b, a)"),
    ("if a:\n    b\nc", "if a:\n    b\n    c"),
    ('def f():\n    """One."""', 'def f():\n    """Two."""'),
    ("'one  two'", "'one two'"),
    ("import a\nimport b", "import a"),
    ("import a\nf()\nimport b", "import b\nf()\nimport a"),
    ("from a import b", "from a import b as c"),
    ("from a import b", "from .a import b"),
    ("x = 1", "%cd data\nx = 1"),
    ("x = 1", "%run other.py\nx = 1"),
    ("x = 1", "%%writefile x.py\nx = 1"),
    ("x = 1", "%%timeit\nx = 1"),
    ("x = 1", "%%capture out\nx = 1"),
    ("x = 1", "# x = 1"),
    ("x = (a\n%config)", "x = (a)"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_is_a_change(one, other):
    assert not same_code(one, other)
    assert not same_code(other, one)


HOSTILE = {
    "brackets": "(" * 9_000,
    "deep signs": "-" * 19_000 + "1",
    "deep names": "a" + ".a" * 9_000,
    "deep functions": "lambda:" * 2_800 + "1",
    "deep conditions": "a if b else " * 1_500 + "c",
    "a NUL": "x = 1\0",
    "half a pair": "x = '\ud800'",
    "a long number": "0x" + "f" * 19_000,
    "magics": "%%time\n" * 9_000,
    "blanks": " \n" * 9_000,
    "a long line of questions": "?" * 19_000,
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_hostile_code_is_the_same_as_itself_and_as_nothing_else(source):
    assert same_code(source, source)
    assert not same_code("x = 2", source)
    assert not same_code(source, "x = 2")


def test_very_long_code_is_compared_as_text():
    long = "x = 1\n" * (LONGEST // 5)
    assert same_code(long, long.replace("\n", " \r\n"))
    assert not same_code(long, long.replace("x = 1", "x=1"))


def test_the_layout_of_text_is_its_line_ends_and_trailing_blanks():
    assert essence("markdown", "One  \r\nTwo\r\n") == essence("markdown", "One\nTwo")
    assert essence("markdown", "One\nTwo") != essence("markdown", "One Two")
    assert essence("markdown", "x = 'a'") != essence("markdown", 'x = "a"')


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_are_compared(one, other):
    assert same_code(one, other) == same_code(other, one)
    assert same_code(one, one)
