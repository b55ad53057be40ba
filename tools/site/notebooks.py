"""The stored notebooks of the course, as its pages read them."""

from nbformat import NotebookNode

from tools import files
from tools.lesson import BuildError
from tools.site.course import Course


def solution(course: Course, stem: str) -> NotebookNode:
    """The solution of a lesson, with its outputs. Raises BuildError if it is missing or damaged."""
    notebook = files.read(course.root / "solutions" / f"{stem}.ipynb")
    if notebook is None:
        raise BuildError([f"solutions/{stem}.ipynb is missing or damaged; make build writes it"])
    return notebook
