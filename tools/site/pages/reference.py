"""Reference: the public functions and classes of `utils`, from their docstrings, the ruler first."""

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

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

OPEN = ("models", "plotting")
"""Packages from whose modules lessons import. Of the others, what the package lists is all that is public."""

INDEX = """# Reference

What a notebook of the course can import. `utils.reach` is the ruler: `influence` by gradient, `receptive_field` in
closed form, `context_horizon` by the loss. The rest is what the lessons train, read, draw and check with.

```{{toctree}}
:maxdepth: 1

{pages}
```
"""


def pages(course: Course) -> dict[str, str]:
    """The first page, and a page for each module or package."""
    listed = "\n".join(f"/reference/{room}" for room in ROOMS)
    return {FIRST: INDEX.format(pages=listed)} | {f"reference/{room}.md": _page(room) for room in ROOMS}


def _page(room: str) -> str:
    """A module with what it defines; of a package what it lists, then what each of its modules defines besides."""
    module = import_module(f"utils.{room}")
    listed = getattr(module, "__all__", [])
    parts = [f"# {ROOMS[room]}: `utils.{room}`\n", *_described(module, listed or _defined(module))]
    for one in iter_modules(module.__path__, f"utils.{room}.") if room in OPEN else ():
        if one.name.rpartition(".")[2] not in listed:  # `pretrained` is the function, which hides its module
            inner = import_module(one.name)
            more = [name for name in _defined(inner) if name not in listed]
            parts += [f"## `{one.name}`\n", *_described(inner, more)]
    return "\n".join(parts)


def _defined(module: ModuleType) -> list[str]:
    """The names of the public functions and classes that a module defines itself, in the order of its source."""
    return [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__ and callable(value) and not name.startswith("_")
    ]


def _described(module: ModuleType, names: Iterable[str]) -> Iterator[str]:
    """The module's own text, and then each of these that is a function or a class."""
    yield _directive("module", module.__name__)
    for name in sorted(names, key=lambda name: _place(module, name)):
        value = getattr(module, name)
        if inspect.isclass(value):
            kind = "exception" if issubclass(value, BaseException) else "class"
            yield _directive(kind, f"{module.__name__}.{name}", ":members:")
        elif callable(value):
            yield _directive("function", f"{module.__name__}.{name}")


def _place(module: ModuleType, name: str) -> tuple[int, int]:
    """Functions before classes before exceptions; among them, first what the module's own text speaks of."""
    value, text = getattr(module, name), module.__doc__ or ""
    kind = 0 if not inspect.isclass(value) else 2 if issubclass(value, BaseException) else 1
    mentioned = text.find(f"`{name}`")
    return kind, mentioned if mentioned >= 0 else len(text)


def _directive(kind: str, name: str, *options: str) -> str:
    return "\n".join(["```{eval-rst}", f".. auto{kind}:: {name}", *(f"   {one}" for one in options), "```", ""])
