"""For authors: what README says to them, how to write a lesson, how a check is made, what the course covers."""

from tools.site import links
from tools.site.course import Course
from tools.site.text import section

SHOWS = {
    "CONTRIBUTING.md": "authors/contributing.md",
    "docs/checks.md": "authors/checks.md",
    "docs/coverage.md": "authors/coverage.md",
}
FIRST = "authors/index.md"

INDEX = """# For authors

{readme}

## Read on

```{{toctree}}
:maxdepth: 1

{pages}
```
"""


def pages(course: Course) -> dict[str, str]:
    """The first page, and a page for each document."""
    readme = links.for_the_site(section(course.read("README.md"), "For authors"), "README.md", course)
    index = INDEX.format(readme=readme, pages="\n".join(f"/{page}" for page in SHOWS.values()))
    return {FIRST: index} | {page: links.for_the_site(course.read(file), file, course) for file, page in SHOWS.items()}
