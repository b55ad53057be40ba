"""Who judges a batch: processes of this machine, or a Dask cluster. Both are asked the same way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self

from grading.judging.job import Job, Judged


@dataclass(frozen=True)
class File:
    """A submission to judge: the bytes of the file or the reason why it cannot be read, and the key of its result."""

    student: str
    content: bytes | str
    key: str


@dataclass(frozen=True)
class NoResult:
    """Why a file was not judged: its judge died, or broke. That may be the file's doing, or nobody's."""

    reason: str


class Judges(Protocol):
    """A context manager: its processes end with it. It is told about a batch, given its files, then about another."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def begin(self, job: Job, submissions: int) -> int:
        """Tell them what to judge by from now on. How many processes of this machine judge; 0 where a cluster does."""
        ...

    def judge(self, files: Iterable[File]) -> Iterator[tuple[str, Judged | NoResult]]:
        """(student, what the file came to) as they come. Files are read from `files` when there is a judge for them,
        so that few are in memory. Where there is one file, nothing runs beside it."""
        ...
