"""The home page: README's question, pictures and ways in, with the map of the lessons."""

import re

from tools.lesson import BuildError
from tools.site import links
from tools.site.course import Course

FIRST = "index.md"
SHOWS = {"README.md": FIRST}

KEPT = ("Start", "How a lesson works", "For instructors", "Licence")  # the rest of README has pages of its own
BADGES = re.compile(r"<!-- badges -->\n(.*?)\n<!-- /badges -->", re.DOTALL)
NOT_HERE = re.compile(r"<!-- (site|lessons) -->.*?<!-- /\1 -->\n+", re.DOTALL)
GALLERY = re.compile(r"^\| \| \|\n\| --- \| --- \|\n((?:\|.*\n)+)", re.MULTILINE)
PICTURE = re.compile(r"^\| !\[(?P<alt>.*?)\]\((?P<picture>\S+?)\) \| (?P<says>.*) \|$", re.MULTILINE)
FIGURE = """:::{{figure}} {picture}
:alt: {alt}

{says}
:::
"""

MAP = """## The lessons

The page of a lesson is for reading. Its buttons open the notebook in which you work, on Colab, Kaggle, Binder or at
home.

{paths}

{stations}

"""

NAVIGATION = """
```{{toctree}}
:hidden:

{pages}
```
"""


def pages(course: Course) -> dict[str, str | bytes]:
    intro, *rest = re.split(r"^(?=## )", course.read("README.md"), flags=re.MULTILINE)
    sections = {text.partition("\n")[0].removeprefix("## "): text for text in rest}
    if gone := [name for name in KEPT if name not in sections]:
        raise BuildError([f"README.md: it has no section {name!r}, which the home page shows" for name in gone])
    said = links.for_the_site("".join([intro, *(sections[name] for name in KEPT)]), "README.md", course)
    said = BADGES.sub(lambda badges: links.as_buttons(_buttons(course, links.of_badges(badges[1]))), said)
    said = GALLERY.sub(lambda rows: _gallery(rows[1]), NOT_HERE.sub("", said))
    stations, _, paths = links.for_the_site(course.outline.map(""), "notebooks/", course).partition("\n\n")
    table = MAP.format(paths=paths, stations=stations)
    text = said.replace("the badge above", "the button above").replace("## Start\n", f"{table}## Start\n")
    return {FIRST: text + NAVIGATION.format(pages="\n".join(course.firsts))}


def _buttons(course: Course, badges: list[str]) -> list[str]:
    """Where a visitor may want to go first: a learner to lesson 00 or its notebook, an instructor to the guide."""
    first = course.outline.entries[0]
    read = f"[Read {first.title}](/{course.shown[f'notebooks/{first.stem}.ipynb']})"
    notebooks = [badge for badge in badges if badge.startswith("[Open")]
    others = [badge for badge in badges if badge not in notebooks]
    guide = course.shown.get("docs/grading.md")
    return [read, *notebooks, *([f"[Grade a class](/{guide})"] if guide else []), *others]


def _gallery(rows: str) -> str:
    """README's table of pictures as figures beside each other: a table without a head is none to a screen reader."""
    figures = "".join(FIGURE.format(**picture.groupdict()) for picture in PICTURE.finditer(rows))
    return f"::::{{container}} gallery\n{figures}::::\n"
