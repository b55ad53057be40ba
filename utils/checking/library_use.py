"""What of the course's own library an answer uses, which answers many exercises. Here it is seen in the function.

Grading reads the sources of the cells, see `grading.submission.library_calls`, and takes the same for an answer.
"""

import contextlib
import dis
import functools
import importlib
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from utils.checking.learners import is_learners

LIBRARY = "utils"
# Modules whose own functions draw, load and show; none of them answers anything.
HELPERS = tuple(
    f"{LIBRARY}.{name}"
    for name in (
        "plotting",
        "widgets",
        "notebook",
        "data",
        "download",
        "paths",
        "progress",
        "frontend",
        "checks",
        "modes",
    )
)
MOST_NAMED = 5


def library_used(answer: Any, allowed: Iterable[str] = ()) -> list[str]:
    """What the answer, and the learner's own functions that it calls, take from the library, as dotted names.

    Args:
        answer: any object; of objects that are no function, their class is looked into.
        allowed: modules or names of the library that the exercise allows.
    """
    reached: list[tuple[Any, frozenset[str]]] = [(answer, frozenset())]
    seen, found = set(), []
    for value, attributes in reached:  # it grows while we walk it
        if path := _path(value):
            found += [part for part, what in _parts(value, path, attributes) if may_answer(part, what, tuple(allowed))]
        elif id(value) not in seen:
            seen.add(id(value))
            reached += _reached(value)
    return list(dict.fromkeys(found))


def may_answer(path: str, found: Any, allowed: tuple[str, ...]) -> bool:
    """Whether `found`, which stands at this path of the library, may answer an exercise; a whole module may always."""
    if path == LIBRARY or any(path == one or path.startswith(f"{one}.") for one in allowed):
        return False
    home = getattr(found, "__module__", None) or path
    return isinstance(found, ModuleType) or not any(
        home == helper or home.startswith(f"{helper}.") for helper in HELPERS
    )


def in_words(paths: Iterable[str]) -> str:
    """The first few of them, as a message names them."""
    return ", ".join(path if path.startswith("`") else f"`{path}`" for path in list(paths)[:MOST_NAMED])


def _reached(one: Any) -> Iterator[tuple[Any, frozenset[str]]]:
    """The values that a function's code names, each with all the names in that code: its attributes are among them."""
    if isinstance(one, functools.partial):
        yield one.func, frozenset()
    elif isinstance(one, MethodType | staticmethod | classmethod):
        yield one.__func__, frozenset()
        yield getattr(one, "__self__", None), frozenset()
    elif isinstance(one, FunctionType) and is_learners(one.__code__.co_filename):
        names = frozenset(name for code in _codes(one.__code__) for name in code.co_names)
        yield from ((one.__globals__[name], names) for name in sorted(names) if name in one.__globals__)
        yield from ((module, names) for code in _codes(one.__code__) for module in _imported(code))
        for cell in one.__closure__ or ():
            with contextlib.suppress(ValueError):  # an empty one
                yield cell.cell_contents, names
    elif isinstance(one, type):
        yield from ((value, frozenset()) for value in [*vars(one).values(), *one.__bases__])
    elif callable(one):
        yield type(one), frozenset()


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _imported(code: CodeType) -> Iterator[ModuleType]:
    """The modules of the library that this code imports itself."""
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME" and str(step.argval).partition(".")[0] == LIBRARY:
            with contextlib.suppress(ImportError):
                yield importlib.import_module(step.argval)


def _path(value: Any) -> str:
    """Where in the library a value comes from; empty for all others."""
    if isinstance(value, ModuleType):
        path = value.__name__
    elif isinstance(value, FunctionType | type):
        path = f"{value.__module__}.{value.__qualname__}"
    else:
        return ""
    return path if path.partition(".")[0] == LIBRARY else ""


def _parts(value: Any, path: str, attributes: frozenset[str]) -> list[tuple[str, Any]]:
    """Of a module, what of it is named beside it, wherever it was made; anything else is itself."""
    if not isinstance(value, ModuleType):
        return [(path, value)]
    named = [(f"{path}.{name}", vars(value)[name]) for name in sorted(attributes) if name in vars(value)]
    parts: list[tuple[str, Any]] = []
    for part, found in named:
        if isinstance(found, ModuleType) and found.__name__ == part:
            parts += _parts(found, part, attributes)
        elif _path(found) or not isinstance(found, ModuleType | FunctionType | type):  # torch's may be named there too
            parts.append((part, found))
    return parts or [(path, value)]
