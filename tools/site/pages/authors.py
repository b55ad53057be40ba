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
GUIDES = {
    "CONTRIBUTING.md": "where things are, and all steps of a lesson: exercises, text, figures, widgets, tests, release",
    "docs/checks.md": "how a check finds the mistake, and why it asks an answer from outside",
    "docs/coverage.md": "what the course promises to teach, and which section teaches it",
}
"""{document: what it is about}, in the order in which an author needs them."""

INDEX = """# For authors

To add a lesson, or an exercise to one, begin with the first of these.

{guides}

## Commands and folders

{readme}
"""


def pages(course: Course) -> dict[str, str]:
    """The first page, and a page for each document."""
    readme = links.for_the_site(section(course.read("README.md"), "For authors"), "README.md", course)
    guides = links.of_pages({SHOWS[document]: says for document, says in GUIDES.items()})
    index = INDEX.format(readme=readme, guides=guides)
    return {FIRST: index} | {page: links.for_the_site(course.read(file), file, course) for file, page in SHOWS.items()}
