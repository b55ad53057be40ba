"""The warm sandbox that a process keeps for all the submissions that it judges."""

import atexit
from pathlib import Path

from grading.judging.job import Job
from grading.sandbox import Sandbox

WARM_MEGABYTES = 1_000  # more than the warm process, and a clean one beside a student's, ever take

Kind = tuple[Path | None, bool, float, frozenset[str] | None, bool]

_kept: dict[Kind, Sandbox] = {}  # this process's one, by all that it depends on


def warm_sandbox(job: Job) -> Sandbox:
    """The sandbox that this process keeps, from one batch to the next, until a batch needs another kind."""
    kind = _kind(job)
    if kind not in _kept:
        close_sandbox()
        _kept[kind] = Sandbox(*kind)
    return _kept[kind]


def new_sandbox(job: Job) -> Sandbox:
    """A sandbox of this batch's kind in which nothing has run."""
    return Sandbox(*_kind(job))


def _kind(job: Job) -> Kind:
    limits = job.rules.limits
    most = limits.memory_megabytes + 2 * limits.scratch_megabytes + WARM_MEGABYTES
    return Path(job.data) if job.data else None, job.unsafe, most, job.library, job.few or job.cold


@atexit.register
def close_sandbox() -> None:
    """End the one that is kept."""
    while _kept:
        _kept.popitem()[1].close()
