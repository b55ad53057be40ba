"""Rubrics: what an answer gets points for, in a file for each assignment that can be handed on to others."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from grading.problems import GradingError
from grading.untrusted.text import visible
from utils.files import write_whole

LONGEST = 500  # characters of an item's sentence
MOST_POINTS = 1_000


@dataclass(frozen=True)
class Item:
    """Points, which may be negative, and the sentence that a student reads with them: one line, in no other item."""

    points: float
    says: str


def read_rubric(path: Path) -> dict[str, list[Item]]:
    """{grade_id of the quiz: items}, as `write_rubric` wrote it or a person did; nothing where there is no file.

    Raises GradingError if it is no such file.
    """
    try:
        return {cell: _items(items) for cell, items in json.loads(path.read_text(encoding="utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, KeyError, GradingError) as error:
        raise GradingError(
            f"{path} is no rubric ({error}). For each quiz it holds a list of points and sentences: "
            '{"quiz_name": [{"points": 1, "says": "C, with a reason."}]}. Correct it, or move it away.'
        ) from None


def write_rubric(path: Path, rubric: dict[str, list[Item]]) -> None:
    """Write as JSON that a person can read, whole or not at all."""
    items = {cell: [asdict(item) for item in items] for cell, items in rubric.items()}
    write_whole(path, json.dumps(items, indent=1, ensure_ascii=False) + "\n")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """In here no other server changes this rubric. The lock goes with the process, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.stem}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def changed(items: list[Item], old: Item | None, new: Item | None) -> list[Item]:
    """The items with one added (no `old`), replaced, or taken out (no `new`).

    Raises GradingError if the sentence of `new` stands there already, and ValueError if `old` is not among them.
    """
    at = len(items) if old is None else items.index(old)
    rest = [item for place, item in enumerate(items) if place != at]
    if new and any(item.says == new.says for item in rest):
        raise GradingError("This sentence is in the rubric already.")
    return items[:at] + ([new] if new else []) + items[at + 1 :]


def checked_item(points: object, says: object) -> Item:
    """An item of these. Raises GradingError with a sentence that says what is wrong."""
    if isinstance(points, bool) or not isinstance(points, int | float):
        raise GradingError("The points of a rubric's item are a number.")
    if not -MOST_POINTS <= points <= MOST_POINTS:  # nor if it is not a number, or too large for a float
        raise GradingError(f"The points of a rubric's item are from -{MOST_POINTS:,} to {MOST_POINTS:,}.")
    line = " ".join(visible(says).split())
    if not line or len(line) > LONGEST:
        raise GradingError(f"The sentence of a rubric's item has 1 to {LONGEST} characters.")
    return Item(points, line)


def _items(items: list) -> list[Item]:
    found = [checked_item(item["points"], item["says"]) for item in items]
    if len({item.says for item in found}) < len(found):
        raise GradingError("A sentence stands in it twice.")
    return found
