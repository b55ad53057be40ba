"""The outputs of a submission's cells, as long as all of them together are of a sensible size."""

from collections.abc import Iterable
from typing import Any

from nbformat import NotebookNode

MOST_CHARACTERS = (
    20_000_000  # of all cells together: each copy of the notebook, each page and the main process holds them
)


class Outputs:
    """Puts what cells showed into a notebook. What comes after `most` characters is replaced by a sentence."""

    def __init__(self, notebook: NotebookNode, most: int = MOST_CHARACTERS):
        self._cells, self._most = notebook.cells, most
        self._sizes: dict[int, int] = {}
        self._total = 0
        self._left_out: set[int] = set()

    def put(self, at: int, outputs: list[NotebookNode]) -> None:
        """Outputs of the cell at this position, replacing what was there. They have been cleaned before."""
        self._total -= self._sizes.pop(at, 0)
        self._left_out.discard(at)
        size = sum(map(_characters, outputs))
        if self._total + size > self._most:
            self._left_out.add(at)
            outputs, size = [_not_kept(self._most)], 0
        self._sizes[at] = size
        self._total += size
        self._cells[at].outputs = outputs

    def put_error(self, at: int, text: str) -> None:
        """What we have to say of a cell that did not come to its end."""
        self.put(at, [NotebookNode(output_type="error", ename="Stopped", evalue=text, traceback=[text])])

    @property
    def notes(self) -> list[str]:
        if not self._left_out:
            return []
        cells = f"{len(self._left_out)} cell{'' if len(self._left_out) == 1 else 's'}"
        return [
            f"The outputs of {cells} were not kept: all outputs together are larger than {self._most:,} characters."
        ]


def _not_kept(most: int) -> NotebookNode:
    text = f"(The outputs of this cell were not kept: the notebook's are larger than {most:,} characters.)"
    return NotebookNode(output_type="stream", name="stderr", text=text)


def _characters(value: Any) -> int:
    """How many characters are in this output."""
    if isinstance(value, str):
        return len(value)
    parts: Iterable = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_characters, parts))
