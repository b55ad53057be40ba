"""For instructors: what README says to them, what they will see, and their guides."""

import re

from tools.site import links
from tools.site.course import Course
from tools.site.text import section

GUIDES = {
    "docs/grading.md": "from the roster to the scores on your platform, step by step, with a clock",
    "docs/threat_model.md": "what the sandbox protects, what it does not, and what you should do about that",
    "docs/jupyterhub.md": "a link that brings a learner the course, and updates that leave their answers alone",
}
"""{file of docs/: what it is about}. Each is a page, in this order. Add a file here, and it is one too."""

FIRST = "instructors/index.md"
SHOWS = {guide: f"instructors/{guide.removeprefix('docs/')}" for guide in GUIDES}

PICTURE = re.compile(r"^!\[(?P<says>[^\]]+)\]\((?P<file>[^)]+)\)$", re.MULTILINE)

INDEX = """# For instructors

{readme}

## The guides

{guides}

## What you will see

From an invented class of 60, which `make grade-demo` makes for you too.

{pictures}
"""


def pages(course: Course) -> dict[str, str]:
    """The first page, and a page for each guide."""
    guides = {file: links.for_the_site(course.read(file), file, course) for file in GUIDES}
    index = INDEX.format(
        readme=links.for_the_site(section(course.read("README.md"), "For instructors"), "README.md", course),
        pictures="\n\n".join(_captioned(found) for text in guides.values() for found in PICTURE.finditer(text)),
        guides=links.of_pages({SHOWS[guide]: says for guide, says in GUIDES.items()}),
    )
    return {FIRST: index} | {SHOWS[file]: text for file, text in guides.items()}


def _captioned(picture: re.Match) -> str:
    """A picture of a guide with its own text below it, which a reader who sees the picture wants too."""
    return f"{picture[0]}\n\n*{picture['says']}.*"
