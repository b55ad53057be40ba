"""Reference: the public functions and classes of `utils`, from their docstrings, the ruler first."""

from importlib import import_module
from pkgutil import iter_modules

from tools.site.course import Course

FIRST = "reference/index.md"
SHOWS: dict[str, str] = {}

ROOMS = {
    "reach": "The ruler",
    "data": "Data",
    "text": "Text",
    "models": "Models",
    "plotting": "Plotting",
    "training": "Training",
    "checking": "Checking",
    "notebook": "Notebooks",
    "claims": "Claims",
}
"""{module or package of `utils`: the title of its page}, in the order of the reference."""

WHOLE_IN_ITS_PACKAGE = {"reach", "training", "checking"}
"""Packages whose own list of names is all that is public: their modules are not listed one by one."""

INDEX = """# Reference

What a notebook of the course can import. `utils.reach` is the ruler: `influence` by gradient, `receptive_field` in
closed form, `context_horizon` by the loss. The rest is what the lessons train, read, draw and check with.

```{{toctree}}
:maxdepth: 1

{pages}
```
"""

MODULE = """```{{eval-rst}}
.. automodule:: {module}
   :members:{options}
```
"""


def pages(course: Course) -> dict[str, str | bytes]:
    """The first page, and a page for each module or package."""
    listed = "\n".join(f"/reference/{room}" for room in ROOMS)
    return {FIRST: INDEX.format(pages=listed)} | {f"reference/{room}.md": _page(room) for room in ROOMS}


def _page(room: str) -> str:
    """A module with its members; of a package those that it lists, then those of each of its modules."""
    package = import_module(f"utils.{room}")
    listed = getattr(package, "__all__", [])
    parts = [f"# {ROOMS[room]}: `utils.{room}`\n", MODULE.format(module=package.__name__, options="")]
    if hasattr(package, "__path__") and room not in WHOLE_IN_ITS_PACKAGE:
        options = f"\n   :exclude-members: {', '.join(listed)}" if listed else ""
        for module in iter_modules(package.__path__, f"{package.__name__}."):
            parts += [f"## `{module.name}`\n", MODULE.format(module=module.name, options=options)]
    return "\n".join(parts)
