"""nbgrader's configuration of a class, without the name of its database and the password in it."""

import ast

INSTEAD = "pass  # The database that stood here is gradebook.db in this folder since it was archived."


def without_database(config: str) -> str:
    """The text of an `nbgrader_config.py` in which no statement sets `db_url`. What is no Python stays as it is."""
    try:
        tree = ast.parse(config)
    except SyntaxError:
        return config
    lines = config.splitlines()
    for node in sorted(_that_set_it(tree), key=lambda node: -node.lineno):
        lines[node.lineno - 1 : node.end_lineno] = [f"{' ' * node.col_offset}{INSTEAD}"]
    return "\n".join(lines) + "\n"


def _that_set_it(tree: ast.Module) -> list[ast.Assign]:
    assignments = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    return [
        node
        for node in assignments
        if any(isinstance(target, ast.Attribute) and target.attr == "db_url" for target in node.targets)
    ]
