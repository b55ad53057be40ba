"""Notebooks on disk: written whole or not at all, the same notebook always as the same bytes."""

import os
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

MOST_BYTES = 1_000_000


def text_of(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook, version=4) + "\n"


def without_run(notebook: NotebookNode) -> NotebookNode:
    """A copy without outputs and execution counts, which may differ from run to run."""
    bare = deepcopy(notebook)
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return bare


def read(file: Path) -> NotebookNode | None:
    """The notebook in `file`; None where there is none, or none that can be read."""
    try:
        notebook = nbformat.reads(file.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError):
        return None
    return notebook


def write(contents: dict[Path, str | bytes]) -> bool:
    """Write those files that hold something else, all of them or none. Returns whether there were any."""
    encoded = {file: new.encode() if isinstance(new, str) else new for file, new in contents.items()}
    changed = {file: new for file, new in encoded.items() if not file.exists() or file.read_bytes() != new}
    halfway = {file: file.with_name(f".{file.name}.new") for file in changed}
    try:
        for file, new in changed.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            halfway[file].write_bytes(new)
        for file in changed:
            os.replace(halfway[file], file)
    finally:
        for left_over in halfway.values():
            left_over.unlink(missing_ok=True)
    return bool(changed)
