"""Where an answer calls the course's own library, which answers many exercises: read in the source, and never run.

What counts is what the answer reaches: the names in it, what other cells bind to these names, and so on. A comparison
with the library in another place, which a careful student may well make, is not in the answer's way.

What is put together while it runs cannot be read. An answer that uses Python's own ways to do so is said to.
"""

import ast
import importlib
import importlib.util
import symtable
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from grading.submission.magics import as_python, file_written, text_written
from utils.checking.library_use import LIBRARY, may_answer

BY_NAME = frozenset(("importlib", "__import__", "eval", "exec", "runpy", "pkgutil"))  # and sys.modules
FILLS = frozenset(("append", "extend", "update", "setdefault", "insert", "add", "__setitem__", "__setattr__"))


def library_calls(bound: "Bindings", answer: str, allowed: Iterable[str] = ()) -> list[str]:
    """What of the course's library the answer reaches, as "utils.reach.receptive_field", each once and in order.

    Args:
        bound: what the code cells that run bind, see `bindings`.
        answer: the name that is asked.
        allowed: modules or names of the library that the exercise allows.
    """
    waiting, seen, found = [answer], {answer}, []
    for name in waiting:  # it grows while we walk it
        for binding in bound.get(name, []):
            for chain in binding.chains:
                path = _resolved(chain, binding.local, bound)
                found += [path] if path and _answers(path, tuple(allowed)) else []
                waiting += [base for base in _bases(chain) if base not in seen]
                seen.update(_bases(chain))
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class _Binding:
    """What a name is bound to: an import (`path`), or code with the chains of names in it, such as "reach.influence".

    `local` holds the imports inside this code, by the names that they bind.
    """

    chains: tuple[str, ...]
    local: dict[str, str]
    path: str = ""


Bindings = dict[str, list[_Binding]]


def bindings(sources: Iterable[str]) -> Bindings:
    """What code cells bind at their top level, by name. A name that is bound several times has it all."""
    bound: Bindings = {}
    for source in sources:
        for statement in _parsed(source):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                for name, path in _imports(statement):
                    chains = () if path.partition(".")[0] == LIBRARY else (path,)
                    bound.setdefault(name, []).append(_Binding(chains, {}, path))
                continue
            binding = None
            for name in _bound_by(statement):
                binding = binding or _code(statement)
                bound.setdefault(name, []).append(binding)
    return bound


def _parsed(source: str) -> list[ast.stmt]:
    """The statements of a cell, those inside `if`, `try` and loops among them; none of what is no Python.

    A file that a cell writes (%%writefile) is read as a cell: another cell imports its names.
    """
    source = text_written(source) if file_written(source) else as_python(source)
    try:
        with warnings.catch_warnings(action="ignore"):
            waiting = list(reversed(ast.parse(source).body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    statements = []
    while waiting:
        statement = waiting.pop()
        statements.append(statement)
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            waiting += [node for node in _inside(statement) if isinstance(node, ast.stmt)]
    return statements


def _inside(statement: ast.stmt) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(statement):
        yield from node.body if isinstance(node, ast.ExceptHandler | ast.match_case) else [node]


def _imports(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """(name, dotted path) of each name that an import binds."""
    for one in statement.names:
        if isinstance(statement, ast.Import):
            package = one.name.partition(".")[0]
            yield (one.asname, one.name) if one.asname else (package, package)
        elif one.name != "*":
            yield one.asname or one.name, f"{statement.module or ''}.{one.name}"
        elif (module := _object(statement.module or "")) is not None:
            yield from ((name, f"{statement.module}.{name}") for name in dir(module) if not name.startswith("_"))


def _bound_by(statement: ast.stmt) -> set[str]:
    """The names that hold something else after a statement: it binds them, or puts something into what they hold."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    names = set()
    for node in ast.walk(statement):
        if isinstance(getattr(node, "ctx", None), ast.Store):
            names.add(_base(node))
        elif isinstance(node, ast.Call):
            match node.func:
                case ast.Name("setattr") if node.args:
                    names.add(_base(node.args[0]))
                case ast.Attribute(value, name) if name in FILLS:
                    names.add(_base(value))
    return names - {""}


def _base(node: ast.AST) -> str:
    """The name at the beginning of a chain of attributes, items and calls: torch of torch.nn.x[0]."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _code(statement: ast.stmt) -> _Binding:
    local = dict(
        pair for node in ast.walk(statement) if isinstance(node, ast.Import | ast.ImportFrom) for pair in _imports(node)
    )
    known = _global_names(statement) | set(local)
    chains: list[str] = []
    inner = {id(node.value) for node in ast.walk(statement) if isinstance(node, ast.Attribute)}
    for node in ast.walk(statement):
        if isinstance(node, ast.Name | ast.Attribute) and id(node) not in inner and _base(node) in known:
            chains.append(_chain(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_module(node.value):
            chains.append(node.value)
    return _Binding(tuple(chains), local)


def _global_names(statement: ast.stmt) -> set[str]:
    """The names that a statement takes from its module, as Python's own symbol table has them."""
    try:
        tables = [symtable.symtable(ast.unparse(statement), "cell", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    for table in tables:  # it grows while we walk it
        tables += table.get_children()
    module, *inner = tables
    names = {symbol.get_name() for symbol in module.get_symbols() if symbol.is_referenced()}
    return names | {symbol.get_name() for table in inner for symbol in table.get_symbols() if symbol.is_global()}


def _chain(node: ast.AST) -> str:
    """ "reach.fields.full_layer" of these attributes; up to the first that is none."""
    names = []
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
        else:
            names.clear()
        node = node.func if isinstance(node, ast.Call) else node.value
    return ".".join([node.id if isinstance(node, ast.Name) else "", *reversed(names)])


def _bases(chain: str) -> list[str]:
    """The names to look at next: that of the chain, and the last one, which a file of the student's own may define."""
    names = chain.split(".")
    return [names[0], names[-1]]


def _resolved(chain: str, local: dict[str, str], bound: Bindings) -> str:
    """The path in the library that a chain stands for, or the way by which it hides one; empty for anything else."""
    base, _, rest = chain.partition(".")
    if base in BY_NAME and base not in bound or chain.startswith("sys.modules"):
        return f"`{chain}`"
    paths = [local[base]] if base in local else [one.path for one in bound.get(base, []) if one.path]
    for path in [*paths, base]:
        whole = f"{path}.{rest}" if rest else path
        if whole.partition(".")[0] in BY_NAME or whole.startswith("sys.modules"):
            return f"`{whole}`"
        if whole.partition(".")[0] == LIBRARY and (path != base or base == LIBRARY):
            return whole
    return ""


def _answers(path: str, allowed: tuple[str, ...]) -> bool:
    """Whether what stands at this path of the library may answer an exercise."""
    return path.startswith("`") or "__" in path or may_answer(path, _object(path), allowed)


def _is_module(text: str) -> bool:
    return text.startswith(f"{LIBRARY}.") and all(map(str.isidentifier, text.split(".")))


def _object(path: str) -> Any:
    """What stands at this path of our own copy of the library; None for what is not there.

    Only modules of the library are imported: what a student writes decides no more than which.
    """
    names = path.split(".")
    if names[0] != LIBRARY or not all(map(str.isidentifier, names)) or "__main__" in names:
        return None
    found: Any = importlib.import_module(LIBRARY)
    for index, name in enumerate(names[1:], start=2):
        below = ".".join(names[:index])
        if isinstance(found, ModuleType) and hasattr(found, "__path__") and importlib.util.find_spec(below):
            found = importlib.import_module(below)
        elif name.startswith("__") or (found := vars(found).get(name) if hasattr(found, "__dict__") else None) is None:
            return None
    return found
