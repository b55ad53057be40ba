"""Why a name that an answer needs is missing: the cell that should have made it, and what that cell came to."""

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from grading.judging.session import Session
from grading.submission.names import names_of
from utils.checking.calling import Outcome, Problem
from utils.checking.outcome import Case

MISSING = re.compile(r"\bNameError: name '(\w+)' is not defined")
MOST_CAUSES = 10  # in a row, each because of the next


class NamingCauses:
    """Asks answers as the session does. Where a name was missing, the outcome says which cell failed to make it.

    A `utils.checking.judging.Caller`, as the session itself.

    Args:
        session: whom to ask.
        makers: {name: positions of the cells that should make it}, as in `grading.submission.plan.Plan`.
        imports: what the session runs before all cells. A name that it makes is missing in another file, if anywhere.
    """

    def __init__(self, session: Session, makers: Mapping[str, Sequence[int]], imports: str = ""):
        self._session, self._makers = session, makers
        self._there = names_of(imports).makes

    def signature_problem(self, answer: str, parameters: list[str], count: int) -> Outcome | None:
        outcome = self._session.signature_problem(answer, parameters, count)
        if outcome and outcome.problem is Problem.NOT_ATTEMPTED and (causes := list(self.causes(answer))):
            return Outcome(problem=Problem.RAISED, detail="\n".join(causes))
        return outcome

    def call_each(
        self, answer: str, cases: Sequence[Case], *, ask: Callable, seconds: float
    ) -> Generator[Outcome, None, None]:
        with closing(self._session.call_each(answer, cases, ask=ask, seconds=seconds)) as outcomes:
            for outcome in outcomes:
                missing = MISSING.search(outcome.detail) if outcome.problem is Problem.RAISED else None
                causes = self.causes(missing[1]) if missing else ()
                yield replace(outcome, detail="\n".join([outcome.detail, *causes]))

    def measure(self, function: Callable, value: Any, args: tuple, *, seconds: float, seed: int) -> Outcome:
        return self._session.measure(function, value, args, seconds=seconds, seed=seed)

    def causes(self, name: str) -> Iterator[str]:
        """Why this name is missing, a sentence for each cell from the last to the first that failed.

        Nothing where no cell failed that should have made it.
        """
        failed, told = self._session.failures, set()
        while len(told) < MOST_CAUSES and (at := self._failed_maker(name)) is not None and at not in told:
            told.add(at)
            yield f"`{name}` is missing because cell {at + 1} {failed[at]}"
            missing = MISSING.search(failed[at])
            if missing is None:
                return
            name = missing[1]

    def _failed_maker(self, name: str) -> int | None:
        """The first cell that failed and should have made this name."""
        if name in self._there:
            return None
        failed = self._session.failures
        makers = [at for at in self._makers.get(name, ()) if at in failed]
        return min(makers or (at for at in failed if _seems_to_make(self._session.source(at), name)), default=None)


def _seems_to_make(source: str, name: str) -> bool:
    """Whether code that Python cannot parse looks as if it would make this name."""
    made = rf"^(?:(?:async\s+)?def|class)\s+{name}\b|^{name}\s*(?::[^=\n]*)?=[^=]|^(?:from|import)\b.*\b{name}\b"
    return re.search(made, source, re.MULTILINE) is not None
