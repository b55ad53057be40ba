"""Notebooks on disk: written whole or not at all, the same notebook always as the same bytes."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from utils.files import write_whole

MOST_BYTES = 1_000_000
RAN_WITH = "ran_with"
"""Where the metadata of a solution keep what its modules were when it was run; see `tools.stale`."""


def text_of(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook) + "\n"


def without_run(notebook: NotebookNode) -> NotebookNode:
    """A copy without outputs, execution counts and the record of what it ran with: all that a run leaves."""
    bare = deepcopy(notebook)
    bare.metadata.pop(RAN_WITH, None)
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


def write(contents: Mapping[Path, str | bytes]) -> bool:
    """Write those files that hold something else. Returns whether there were any."""
    encoded = {file: new.encode() if isinstance(new, str) else new for file, new in contents.items()}
    changed = {file: new for file, new in encoded.items() if not file.exists() or file.read_bytes() != new}
    for file, new in changed.items():
        write_whole(file, new)
    return bool(changed)
