"""An exercise as it is declared: a reference, its cases, its mistakes. How it is judged stands in `judging`."""

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.checking import calling
from utils.checking.seeds import derived

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


class Declaration:
    """What an author says of an exercise; see `utils.checking` for an example of each part.

    Args:
        reference: a right answer, or torch's own function. Its docstring gives the shapes.
        lesson: two digits, as in the lesson's file name.
        points: what a pass is worth.
        hint: one sentence that points to the idea; shown when the check fails.
        returns: names of the parts, for an answer that returns several.
        seconds: of the processor; the first case may take that long, and all others together.
        rtol: relative tolerance of the comparison with the reference.
        compare: whether a value is compared with the reference's. Without, findings alone decide.
        facts: a dataclass; findings get the value as one of these, rather than as a dict.
        may_use: modules or names of the course's own library that an answer may use, such as "utils.text.encode".
            Grading remarks on an answer that uses any other.
    """

    def __init__(
        self,
        reference: Callable,
        *,
        lesson: str,
        points: int,
        hint: str,
        returns: Sequence[str] = (),
        seconds: float = 5.0,
        rtol: float = 1e-4,
        compare: bool = True,
        facts: type | None = None,
        may_use: Sequence[str] = (),
    ):
        self.reference, self.name = reference, reference.__name__
        self.parameters = list(inspect.signature(reference).parameters)
        self.lesson, self.points, self.hint = lesson, points, hint
        self.returns, self.seconds, self.rtol, self.compare, self.facts = returns, seconds, rtol, compare, facts
        self.may_use = tuple(may_use)
        self.mistakes: list[Mistake] = []
        self.findings: list[tuple[Seen, Mistake | None]] = []
        self.ask_function: Callable = calling.direct
        self.measure_function: Callable | None = None
        self.recipe_function: Callable | None = None
        self._cases: Callable[[np.random.Generator], Iterable[tuple | dict]] | None = None

    # --- what is asked ---

    def cases(self, function: Callable) -> Callable:
        """Declare the cases: a generator drawn from a NumPy generator, the smallest and made by hand first.

        A case is a dict by the names of the arguments, or a tuple in their order.
        """
        self._cases = function
        return function

    def draw_cases(self, seed: int) -> list[tuple]:
        """The cases for this seed, of any size, each a tuple of plain values. They do not tell the seed."""
        rng = np.random.default_rng(derived(seed, "cases", self.lesson, self.name))
        drawn = list(self._cases(rng)) if self._cases else []
        if not drawn:
            raise ValueError(f"{self.name} has no cases: declare them with @{self.name}.cases")
        return [self._as_tuple(case, number) for number, case in enumerate(drawn, start=1)]

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
        """Declare what is judged in place of what `ask` sent: `measure(sent, *case)` returns it, as plain values.

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
