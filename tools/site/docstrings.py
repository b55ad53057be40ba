"""Docstrings that say nothing are left out: Python's own for each field of a named tuple."""

from sphinx.application import Sphinx

EMPTY = "Alias for field number"


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", _leave_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _leave_out(app: Sphinx, kind: str, name: str, what: object, options: object, lines: list[str]) -> None:
    if lines and lines[0].startswith(EMPTY):
        lines.clear()
