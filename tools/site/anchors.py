"""The anchors of a page's headings, as MyST makes them."""

from myst_parser.slugs import github_slugify
from nbformat import NotebookNode

from utils.cells import headings


def anchors(notebook: NotebookNode) -> dict[str, str]:
    """{heading: its anchor}. Of headings that are the same, the first has the plain name, and it is kept."""
    found: dict[str, str] = {}
    for heading in (one for cell in notebook.cells for one in headings(cell)):
        found.setdefault(heading, github_slugify(heading))
    return found
