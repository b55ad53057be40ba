"""Which names a cell makes, and which it takes from other cells: read by Python's own symbol table, never run."""

import builtins
import re
import symtable
import warnings
from dataclasses import dataclass

BUILTINS = frozenset(dir(builtins))

# IPython's lines: %magic, !shell, help? and the same behind an equals sign.
IPYTHON_LINE = re.compile(r"^([ \t]*+)(?:[%!?].*|.*\?)$", re.MULTILINE)
IPYTHON_VALUE = re.compile(r"=[ \t]*+[%!].*$", re.MULTILINE)


@dataclass(frozen=True)
class Names:
    """`makes`: global names that the cell binds. `takes`: names that it reads and does not bind at its top level."""

    makes: frozenset[str]
    takes: frozenset[str]


def names_of(source: str) -> Names:
    """The names of a cell. One that Python cannot parse makes and takes none, as it cannot run either."""
    module = _parse(source) or _parse(IPYTHON_VALUE.sub("= None", IPYTHON_LINE.sub(r"\1pass", source)))
    if not module:
        return Names(frozenset(), frozenset())
    own = {symbol.get_name() for symbol in module.get_symbols() if _is_bound(symbol)}
    symbols = [symbol for scope in _scopes(module) for symbol in scope.get_symbols() if symbol.is_global()]
    makes = own | {symbol.get_name() for symbol in symbols if _is_bound(symbol)}
    takes = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
    return Names(frozenset(makes), frozenset(takes - own - BUILTINS))


def _parse(source: str) -> symtable.SymbolTable | None:
    try:
        with warnings.catch_warnings(action="ignore"):
            return symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None


def _scopes(module: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    scopes = [module]
    for scope in scopes:  # it grows while we walk it, so that no depth of nesting is too deep
        scopes += scope.get_children()
    return scopes


def _is_bound(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported()
