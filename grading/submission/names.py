"""Which names a cell makes, and which it takes from other cells: read by Python's own symbol table, never run."""

import builtins
import re
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

from grading.submission.magics import as_python, file_written, files_run
from grading.submission.syntax import symbol_table

BUILTINS = frozenset(dir(builtins))

_IMPORT = re.compile(r"^[ \t]*+(?:from[ \t]++([\w.]+)[ \t]++import\b|import[ \t]++([\w., \t]+))", re.MULTILINE)
_STAR = re.compile(r"^[ \t]*+from[ \t]++([\w.]+)[ \t]++import[ \t]*+\*", re.MULTILINE)
_DEFINED = re.compile(
    r"^(?:(?:async[ \t]++)?(?:def|class)[ \t]++(\w+)|(\w++)[ \t]*+(?::[^=\n]*+)?=(?!=))", re.MULTILINE
)


@dataclass(frozen=True)
class Names:
    """`makes`: global names that the cell binds. `takes`: names that it reads and does not bind at its top level.

    Files count like names, as `%%writefile conv.py` makes "conv.py", and `from conv import conv2d` takes it. No name of
    Python's has a dot.
    """

    makes: frozenset[str]
    takes: frozenset[str]


def names_of(source: str) -> Names:
    """The names of a cell. One that Python cannot parse makes and takes none, as it cannot run either."""
    if written := file_written(source):
        return Names(frozenset({written}), frozenset())
    module = _symbols(source)
    if not module:
        return Names(frozenset(), frozenset())
    own = {symbol.get_name() for symbol in module.get_symbols() if _is_bound(symbol)}
    symbols = [symbol for scope in _scopes(module) for symbol in scope.get_symbols() if symbol.is_global()]
    makes = own | {symbol.get_name() for symbol in symbols if _is_bound(symbol)}
    takes = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
    return Names(frozenset(makes), frozenset((takes - own - BUILTINS) | set(_modules(source)) | files_run(source)))


def defined_by(source: str) -> frozenset[str]:
    """The names that a cell makes; of one that Python cannot parse, those that it seems to have been written for."""
    if file_written(source) or _symbols(source):
        return names_of(source).makes
    return frozenset(name for found in _DEFINED.findall(as_python(source)) for name in found if name)


def files_spread(source: str) -> set[str]:
    """The files all of whose names come into the notebook: by `from conv import *` and `%run conv.py`."""
    return {_file_of(module) for module in _STAR.findall(source)} | files_run(source)


def _modules(source: str) -> Iterator[str]:
    """The files that imports would find beside the notebook: of a.b those are a.py and a/b.py."""
    for one, several in _IMPORT.findall(source):
        for module in [one] if one else (name.split()[0] for name in several.split(",") if name.split()):
            yield f"{module.partition('.')[0]}.py"
            yield _file_of(module)


def _file_of(module: str) -> str:
    return f"{module.strip('.').replace('.', '/')}.py"


def _symbols(source: str) -> symtable.SymbolTable | None:
    return symbol_table(source) or symbol_table(as_python(source))


def _scopes(module: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    scopes = [module]
    for scope in scopes:  # it grows while we walk it, so that no depth of nesting is too deep
        scopes += scope.get_children()
    return scopes


def _is_bound(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported()
