"""The home page: the question, the three flows, the ways in."""

from tools.site import links
from tools.site.course import Course

FIRST = "index.md"
SHOWS = {"README.md": FIRST}

NAVIGATION = """
```{{toctree}}
:hidden:

{pages}
```
"""


def pages(course: Course) -> dict[str, str | bytes]:
    text = links.for_the_site("# Reach\n", "README.md", course)
    return {FIRST: text + NAVIGATION.format(pages="\n".join(course.firsts))}
