"""Reference: the public functions and classes of `utils`, from their docstrings, the ruler first."""

import inspect
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from tools.site import links
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
"""Packages from whose modules lessons import, each on a page of its own. Of the others, what the package lists is all
that is public."""

INDEX = """# Reference

What a notebook of the course can import. `utils.reach` is the ruler: `influence` by gradient, `receptive_field` in
closed form, `context_horizon` by the loss. The rest is what the lessons train, read, draw and check with.

"""

SENTENCE = re.compile(r".*?[.?!](?=\s+[A-Z`]|\s*\Z)", re.DOTALL)
"""Up to a full stop that no "et al. 2014" explains."""


def pages(course: Course) -> dict[str, str]:
    """The first page, a page for each module or package, and one for each module of an open package."""
    found = {FIRST: INDEX + _leads_to([f"utils.{room}" for room in ROOMS])}
    for room, title in ROOMS.items():
        module = import_module(f"utils.{room}")
        inner = _modules(module) if room in OPEN else {}
        parts = [f"# {title}: `{module.__name__}`\n", *_described(module, _public(module))]
        parts += ["## By subject\n", _leads_to(inner, short=True)] if inner else []
        found[_page(module.__name__)] = "\n".join(parts)
        for name, public in inner.items():
            found[_page(name)] = "\n".join([f"# `{name}`\n", *_described(import_module(name), public)])
    return found


def _page(module: str) -> str:
    """`utils.models.gated` is described by reference/models.gated.md."""
    return f"reference/{module.removeprefix('utils.')}.md"


def _leads_to(modules: Iterable[str], short: bool = False) -> str:
    """A line for each module, with the first sentence of its own text, and the navigation to its page.

    `short`: in the navigation the last part of its name is enough, below its package.
    """
    said = {_page(one): first_sentence(import_module(one)) for one in modules}
    names = {_page(one): one.rpartition(".")[2] for one in modules}
    return links.of_pages(said, names if short else None) + "\n"


def first_sentence(module: ModuleType) -> str:
    text = inspect.getdoc(module) or ""
    found = SENTENCE.match(text)
    return " ".join((found[0] if found else text).split())


def _modules(package: ModuleType) -> dict[str, list[str]]:
    """{module of the package: what it defines and the package does not list}, where there is anything."""
    listed, found = getattr(package, "__all__", []), {}
    for one in iter_modules(package.__path__, f"{package.__name__}."):
        if one.name.rpartition(".")[2] not in listed:  # `pretrained` is the function, which hides its module
            found[one.name] = [name for name in _defined(import_module(one.name)) if name not in listed]
    return {name: public for name, public in found.items() if public}


def _public(module: ModuleType) -> list[str]:
    return getattr(module, "__all__", []) or _defined(module)


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
