"""An exercise as it is declared: a reference, its cases, its mistakes. How it is judged stands in `judging`."""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.checking import calling
from utils.checking.seeds import derived

Cases = Callable[[np.random.Generator], Iterable[tuple | dict]]
Seen = Callable[..., str | None]
"""`seen(value, *case)`: one sentence on what is wrong with this value and can be seen in it, or nothing."""


@dataclass
class Mistake:
    """A wrong answer with a name. `seen` tells it where equal values cannot, and says what it saw."""

    name: str
    answer: Callable
    explanation: str = ""
    seen: Seen | None = None

    def says(self, explanation: str) -> None:
        """What a learner is told who made it: a sentence or two."""
        self.explanation = explanation


@dataclass(frozen=True)
class Share:
    """Points that are given by the share of the cases that pass, rather than all or none."""

    points: int


class Declaration:
    """What an author says of an exercise; see `utils.checking` for an example of each part.

    Args:
        reference: a right answer, or torch's own function. Its docstring gives the shapes.
        lesson: two digits, as in the lesson's file name.
        points: what a pass is worth. All or nothing for a number; by parts for {"values": 2, "no leak": 1}, each with
            cases of its own; by the share of the cases that pass for Share(3).
        hint: one sentence that points to the idea; shown when the check fails.
        returns: names of the parts, for an answer that returns several.
        seconds: of the processor; the first case may take that long, and all others together.
        rtol: relative tolerance of the comparison with the reference.
        compare: whether a value is compared with the reference's. Without, findings alone decide.
        facts: a dataclass; findings get the value as one of these, rather than as a dict.
        may_use: modules or names of the course's own library that an answer may use, such as "utils.text.encode".
            An answer that uses any other is told so, and grading remarks on it.
        library_counts: whether an answer that uses any other counts at all.
    """

    def __init__(
        self,
        reference: Callable,
        *,
        lesson: str,
        points: int | Mapping[str, int] | Share,
        hint: str,
        returns: Sequence[str] = (),
        seconds: float = 5.0,
        rtol: float = 1e-4,
        compare: bool = True,
        facts: type | None = None,
        may_use: Sequence[str] = (),
        library_counts: bool = True,
    ):
        self.reference, self.name = reference, reference.__name__
        self.parameters = list(inspect.signature(reference).parameters)
        self.lesson, self.hint = lesson, hint
        self.by_share = isinstance(points, Share)
        self.points_of = _points_by_part(self.name, points)
        self.points = sum(self.points_of.values())
        self.returns, self.seconds, self.rtol, self.compare, self.facts = returns, seconds, rtol, compare, facts
        self.may_use, self.library_counts = tuple(may_use), library_counts
        if self.by_share and not compare:
            raise ValueError(
                f"{self.name}: a share of the cases needs values that are compared. Give its points by parts instead."
            )
        self.mistakes: list[Mistake] = []
        self.findings: list[tuple[Seen, Mistake | None]] = []
        self.ask_function: Callable = calling.direct
        self.measure_function: Callable | None = None
        self.recipe_function: Callable | None = None
        self._cases: dict[str, Cases] = {}

    # --- what is asked ---

    def cases(self, of: Cases | str) -> Callable:
        """Declare the cases: a generator drawn from a NumPy generator, the smallest and made by hand first.

        A case is a dict by the names of the arguments, or a tuple in their order. Where points are given by parts,
        `@name.cases` declares those of the first part, and `@name.cases("no leak")` those of another.
        """
        first = next(iter(self.points_of))
        if callable(of):
            self._cases[first] = of
            return of
        if of not in self.points_of:
            parts = ", ".join(map(repr, filter(None, self.points_of))) or "no parts"
            raise ValueError(f"{self.name} has no part {of!r}: its points name {parts}")

        def declare(function: Cases) -> Cases:
            self._cases[of] = function
            return function

        return declare

    def draw(self, seed: int) -> list[tuple[str, tuple]]:
        """(part of the points, case) for each case of this seed, part by part; the only part of most is "".

        The seed is of any size, and the cases do not tell it.
        """
        rng = np.random.default_rng(derived(seed, "cases", self.lesson, self.name))
        drawn: list[tuple[str, Any]] = []
        for part in self.points_of:
            cases = list(self._cases[part](rng)) if part in self._cases else []
            if not cases:
                what, how = (f" for its part {part!r}", f"({part!r})") if part else ("", "")
                raise ValueError(f"{self.name} has no cases{what}: declare them with @{self.name}.cases{how}")
            drawn += [(part, case) for case in cases]
        return [(part, self._as_tuple(case, number)) for number, (part, case) in enumerate(drawn, start=1)]

    def draw_cases(self, seed: int) -> list[tuple]:
        """The cases for this seed, each a tuple of plain values."""
        return [case for _, case in self.draw(seed)]

    def _as_tuple(self, case: Any, number: int) -> tuple:
        form = f"yield a tuple of values for ({', '.join(self.parameters)}), or a dict by these names"
        if isinstance(case, dict):
            names = self.parameters[: len(case)]
            if set(case) != set(names):
                raise ValueError(f"{self.name}: case {number} has the names {', '.join(map(str, case))}: {form}")
            return tuple(case[name] for name in names)
        if not isinstance(case, tuple):
            raise ValueError(f"{self.name}: case {number} is {type(case).__name__}, which is no tuple: {form}")
        if not 0 < len(case) <= len(self.parameters):
            raise ValueError(f"{self.name}: case {number} has {len(case)} values: {form}")
        return case

    def ask(self, function: Callable) -> Callable:
        """Declare how an answer is turned into plain values: `ask(answer, *case)`. It runs beside the answer."""
        self.ask_function = function
        return function

    def measure(self, function: Callable) -> Callable:
        """Declare what is judged instead of what `ask` sent: `measure(sent, *case)` returns it, as plain values.

        What was sent may be forged. Whatever `measure` raises on it is a wrong answer.
        """
        self.measure_function = function
        return function

    # --- what may be wrong ---

    def recipe(self, function: Callable) -> Callable:
        """Declare the answer written out, with a switch (a further parameter with a default) for each slip.

        The tests prove that without any switch it equals the reference.
        """
        if self.recipe_function:
            raise ValueError(f"{self.name} has a recipe already")
        own = list(inspect.signature(function).parameters)[: len(self.parameters)]
        if own != self.parameters:
            raise ValueError(f"The recipe of {self.name} begins with ({', '.join(self.parameters)}), then its switches")
        self.recipe_function = function
        return function

    def variant(self, **switches: Any) -> Callable:
        """The recipe with these switches thrown: a wrong answer."""
        if self.recipe_function is None:
            raise ValueError(f"{self.name} has no recipe that could slip: declare one with @{self.name}.recipe")
        known = list(inspect.signature(self.recipe_function).parameters)[len(self.parameters) :]
        if unknown := set(switches) - set(known):
            raise ValueError(f"The recipe of {self.name} has no switch {unknown.pop()!r}. It has {', '.join(known)}")
        return functools.partial(self.recipe_function, **switches)

    def slip(self, name: str, *, seen: Seen | None = None, **switches: Any) -> Mistake:
        """Declare a mistake that is the recipe with switches thrown: `slip("no_bias", bias=0).says("…")`."""
        return self.wrong(name, self.variant(**switches), seen=seen)

    def wrong(self, name: str, answer: Callable, *, seen: Seen | None = None) -> Mistake:
        """Declare a mistake by an answer that makes it: `wrong("positions_added", lambda i, j: i + j).says("…")`.

        It is named where an answer's values equal its own on every case. With `seen`, which looks at an answer's
        value and says in a sentence what is wrong in it, that decides. Findings are looked for in the order in which
        they are declared, on each case, before any value is compared; the first one counts.
        """
        if any(mistake.name == name for mistake in self.mistakes):
            raise ValueError(f"{self.name} has two mistakes called {name}")
        mistake = Mistake(name, answer, seen=seen)
        self.mistakes.append(mistake)
        if seen:
            self.findings.append((seen, mistake))
        return mistake

    def mistake(self, explanation: str, *, seen: Seen | None = None) -> Callable:
        """Declare a mistake by a decorator: the function is an answer that makes it, and has its name."""

        def declare(function: Callable) -> Callable:
            self.wrong(function.__name__, function, seen=seen).says(explanation)
            return function

        return declare

    def finding(self, seen: Seen) -> Seen:
        """Declare a finding without a name: something that is wrong, and has many causes."""
        self.findings.append((seen, None))
        return seen


def _points_by_part(name: str, points: int | Mapping[str, int] | Share) -> dict[str, int]:
    """{part: points}; the only part of an exercise that has none is ""."""
    if isinstance(points, Share):
        return {"": points.points}
    if isinstance(points, int):
        return {"": points}
    named = all(isinstance(part, str) and part.strip() for part in points)
    if len(points) < 2 or not named or not all(type(worth) is int and worth > 0 for worth in points.values()):
        form = 'two or more names, each with a whole number above 0, as in points={"values": 2, "no leak": 1}'
        raise ValueError(f"{name}: points by parts are {form}; these are {dict(points)}")
    return dict(points)
