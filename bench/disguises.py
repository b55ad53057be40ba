"""Code that does the same and looks different: what somebody does who copies, and how two differ who never met."""

import ast
import random
from collections.abc import Callable, Iterator


def in_own_way(source: str, rng: random.Random) -> str:
    """The same answer with small differences, as two who never met have them.

    Operands change places, a part gets a variable, statements another order, a loop stands for a comprehension.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult) and rng.random() < 0.4:
            node.left, node.right = node.right, node.left
    for body in list(_bodies(tree)):
        for statement in list(body):
            match statement:
                case ast.Assign(value=ast.AST() as value) | ast.Return(value=ast.AST() as value):
                    parts = [one for one in ast.walk(value) if isinstance(one, ast.BinOp | ast.Subscript | ast.Call)]
                    chosen = _closed(value, parts, rng)
                    if chosen is not None and rng.random() < 0.6:
                        name = f"part_{rng.randrange(10_000)}"
                        body.insert(body.index(statement), ast.parse(f"{name} = {ast.unparse(chosen)}").body[0])
                        _Replaced(chosen, name).visit(statement)
    source = ast.unparse(ast.fix_missing_locations(tree))
    source = reordered(source, rng) if rng.random() < 0.5 else source
    return looped(source, rng) if rng.random() < 0.3 else source


def _closed(value: ast.expr, parts: list, rng: random.Random) -> ast.expr | None:
    """A part of a value that can be computed before it: in no lambda and no comprehension."""
    open_ = (ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.NamedExpr, ast.IfExp, ast.Starred)
    if any(isinstance(node, open_) for node in ast.walk(value)):
        return None
    parts = [part for part in parts if part is not value]
    return rng.choice(parts) if parts else None


class _Replaced(ast.NodeTransformer):
    def __init__(self, node: ast.AST, name: str):
        self.node, self.name = node, name

    def visit(self, node: ast.AST) -> ast.AST:
        return ast.Name(self.name, ast.Load()) if node is self.node else self.generic_visit(node)


def renamed(source: str, rng: random.Random) -> str:
    """All names that the code makes inside its functions have other names."""
    tree = ast.parse(source)
    own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names = {name: f"{rng.choice('abcdefghkmnpqrstuvwxyz')}{rng.randrange(10_000)}" for name in sorted(own)}
    for node in ast.walk(tree):
        match node:
            case ast.Name():
                node.id = names.get(node.id, node.id)
            case ast.arg():
                node.arg = names.get(node.arg, node.arg)
    return ast.unparse(tree)


def commented(source: str, rng: random.Random) -> str:
    """A comment above every line, two blanks wider, with blank lines between."""
    lines = [f"{line}  # {rng.choice(['then', 'here', 'now', 'next'])} {rng.randrange(99)}" for line in _plain(source)]
    return "\n\n".join(lines)


def reordered(source: str, rng: random.Random) -> str:
    """Neighbouring statements that do not need each other change places."""
    tree = ast.parse(source)
    for body in _bodies(tree):
        for at in range(len(body) - 1):
            if _may_swap(body[at], body[at + 1]):
                body[at], body[at + 1] = body[at + 1], body[at]
    return ast.unparse(tree)


def looped(source: str, rng: random.Random) -> str:
    """Comprehensions and generators become loops that append."""
    tree = ast.parse(source)
    for body in list(_bodies(tree)):
        for statement in list(body):
            if isinstance(statement, ast.Assign | ast.Return):
                hoisted = _Hoisted()
                hoisted.visit(statement)
                at = body.index(statement)
                body[at:at] = hoisted.before
    return ast.unparse(ast.fix_missing_locations(tree))


def split(source: str, rng: random.Random) -> str:
    """Each value that is assigned or returned is made by a helper of its own."""
    tree = ast.parse(source)
    helpers: list[ast.stmt] = []
    for body in list(_bodies(tree)):
        for statement in body:
            match statement:
                case ast.Assign(value=value) | ast.Return(value=ast.AST() as value) if _is_worth_it(value):
                    names = sorted({one.id for one in ast.walk(value) if isinstance(one, ast.Name)} & _local(tree))
                    name = f"helper_{len(helpers)}"
                    helpers += ast.parse(f"def {name}({', '.join(names)}):\n    return {ast.unparse(value)}").body
                    statement.value = ast.parse(f"{name}({', '.join(names)})", mode="eval").body
    tree.body = helpers + tree.body
    return renamed(ast.unparse(tree), rng)


DISGUISES: dict[str, Callable[[str, random.Random], str]] = {
    "renamed": renamed,
    "comments and layout": lambda source, rng: commented(renamed(source, rng), rng),
    "statements reordered": lambda source, rng: reordered(renamed(source, rng), rng),
    "loops for comprehensions": lambda source, rng: looped(renamed(source, rng), rng),
    "split in helpers": split,
}


def _plain(source: str) -> list[str]:
    return [line for line in ast.unparse(ast.parse(source)).split("\n") if line.strip()]


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for field in ("body", "orelse"):
            if isinstance(body := getattr(node, field, None), list):
                yield body


def _may_swap(one: ast.stmt, other: ast.stmt) -> bool:
    def stored(node: ast.stmt) -> set[str]:
        return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}

    def names(node: ast.stmt) -> set[str]:
        return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}

    if not all(isinstance(node, ast.Assign | ast.AugAssign | ast.FunctionDef) for node in (one, other)):
        return False
    return not (stored(one) & names(other) or stored(other) & names(one))


def _is_worth_it(value: ast.AST) -> bool:
    is_closed = not any(isinstance(node, ast.Lambda | ast.NamedExpr | ast.Starred) for node in ast.walk(value))
    return is_closed and sum(1 for _ in ast.walk(value)) > 5


def _local(tree: ast.AST) -> set[str]:
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}


class _Hoisted(ast.NodeTransformer):
    """Puts the loops that take the place of comprehensions into `before`."""

    def __init__(self) -> None:
        self.before: list[ast.stmt] = []

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._loop(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._loop(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node  # what is in it is not known outside

    def _loop(self, node: ast.ListComp | ast.GeneratorExp) -> ast.AST:
        name = f"collected_{len(self.before)}"
        body: ast.stmt = ast.Expr(ast.Call(ast.parse(f"{name}.append", mode="eval").body, [node.elt], []))
        for generator in reversed(node.generators):
            for test in reversed(generator.ifs):
                body = ast.If(test, [body], [])
            body = ast.For(generator.target, generator.iter, [body], [])
        self.before += [*ast.parse(f"{name} = []").body, body]
        return ast.Name(name, ast.Load())
