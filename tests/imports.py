"""What a file imports, read from its source."""

import ast
from collections.abc import Iterator


def imports(source: str, package: str) -> Iterator[str]:
    """All that a file of this package imports, as dotted names, wherever that stands; not what is for types alone."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.If(test=ast.Name("TYPE_CHECKING")):
                continue
            case ast.Import():
                yield from (name.name for name in node.names)
            case ast.ImportFrom():
                parents = package.split(".")[: 1 - node.level or None] if node.level else []
                module = ".".join([*parents, *filter(None, [node.module])])
                yield from (f"{module}.{name.name}" for name in node.names)
        waiting += ast.iter_child_nodes(node)
