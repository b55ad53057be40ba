"""The lessons, as a reader wants them: text, figures, results, and answers folded."""

import nbformat

from tools import files
from tools.lesson import BuildError
from tools.site import links
from tools.site.course import Course
from tools.site.lesson_page import lesson_page
from utils.paths import COURSE

FIRST = "lessons/index.md"
SHOWS = {
    f"{folder}/{file.name}": f"lessons/{file.name}"
    for folder in ("notebooks", "solutions")
    for file in sorted((COURSE / folder).glob("[0-9]*.ipynb"))
}

INDEX = """# Lessons

Each lesson can be read here from start to end: text, figures, results, and every exercise with its answer folded. To
learn from it, work through the notebook: the buttons below a lesson's title open it.

{table}

```{{toctree}}
:hidden:

{pages}
```
"""


def pages(course: Course) -> dict[str, str | bytes]:
    """The map, and for each lesson its page and the notebook to download."""
    entries = course.outline.entries
    listed = "\n".join(f"{one.title} <{one.stem}>" for one in entries)
    table = links.for_the_site(course.outline.table(), "README.md", course)
    written: dict[str, str | bytes] = {FIRST: INDEX.format(table=table, pages=listed)}
    for one in entries:
        solution, stubs = (
            files.read(course.root / f"{folder}/{one.stem}.ipynb") for folder in ("solutions", "notebooks")
        )
        if solution is None or stubs is None:
            raise BuildError([f"lessons/{one.stem}.py: its notebooks are missing or damaged; make build writes them"])
        written[f"lessons/{one.stem}.ipynb"] = nbformat.writes(lesson_page(course, one.stem, solution, stubs))
        written[f"downloads/{one.stem}.ipynb"] = nbformat.writes(stubs)
    return written
