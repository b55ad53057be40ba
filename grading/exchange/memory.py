"""What one collection of a folder tells the next one, so that work is for what is new and not for all that is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grading.exchange.archives import Found
    from grading.exchange.folders import State
    from grading.exchange.versions import HandedIn

Outcome = tuple["Sequence[HandedIn]", dict[str, str]]

MOST_TEXTS = 21  # of one zip: each is unpacked and read as JSON, and so many notebooks are too many


class Memory:
    """What files hold, whether a text is a notebook, and what became of each student's files.

    A file that has not changed is the same `Found` in each collection, and so is each member of a zip. What has gone is
    forgotten.

    Attributes:
        outcomes: {(student, assignment): the versions that there were, and of those that were refused the reasons}.
    """

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, str], Outcome] = {}
        self._held: dict[PurePosixPath, tuple[State, list[Found]]] = {}
        self._texts: dict[Found, tuple[object, bool]] = {}
        self._looked_at: Counter[object] = Counter()

    def held(self, name: PurePosixPath, state: State, look: Callable[[], list[Found]]) -> list[Found]:
        """What is in a file, or the file itself. It is looked at if it has changed."""
        known, found = self._held.get(name, ((), []))
        if known != state:
            found = look()
            self._held[name] = state, found
        return found

    def forget_but(self, names: Iterable[PurePosixPath]) -> None:
        """Only files of these names are there now."""
        there = set(names)
        self._held = {name: known for name, known in self._held.items() if name in there}
        every = {one for _, found in self._held.values() for one in found}
        self._texts = {text: known for text, known in self._texts.items() if text in every}
        self._looked_at = Counter(place for place, _ in self._texts.values())

    def is_notebook(self, text: Found, place: object, look: Callable[[Found], bool]) -> bool:
        """The answer to `look`, which is asked once for a file, and MOST_TEXTS times for a place: then it is False."""
        if text not in self._texts:
            self._looked_at[place] += 1
            self._texts[text] = place, self._looked_at[place] <= MOST_TEXTS and look(text)
        return self._texts[text][1]
