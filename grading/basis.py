"""What marks follow from, besides the submission: kept with each result, so that it can be said later what changed."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version

from grading.judging.job import Job
from utils.paths import COURSE

CODE = "the course's code"
RELEASED = "the released notebook"
CHECKS = "your own checks"
HASHED = (CODE, RELEASED, CHECKS)  # of these it is said that they changed, and not how
OPTIONS = ("--cell-seconds", "--seconds", "--memory", "--all-cells", "--data", CHECKS)  # as a run of `grade` has them


def basis(job: Job) -> dict[str, str]:
    """{what: value} of everything that a batch's marks follow from: options, release, checks, code and versions.

    All of `utils` counts and not the checks alone, since submissions may use any of it.
    """
    rules, packages = job.rules, ("torch", "numpy")
    return {
        "seed": str(rules.seed),
        "--cell-seconds": f"{rules.times.cell:g}",
        "--seconds": f"{rules.times.submission:g}",
        "--memory": str(rules.limits.memory_megabytes),
        "--all-cells": "yes" if rules.everything else "no",
        "--data": job.data or "none",
        RELEASED: _hash([job.released]),
        CHECKS: _hash(map(str, job.private)) if job.private else "none",
        CODE: _hash_of_code(),
        "Python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


def key(basis: Mapping[str, str], content: bytes) -> str:
    """The same for the same submission by the same rules, and for nothing else."""
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode() + content).hexdigest()


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What is another, such as `torch (2.8.0, then 2.9.0)`; of code and the like without what it was."""
    if not before:
        return ["the earlier ones were not kept"]
    return [
        _difference(what, before.get(what, "none"), after[what]) for what in after if before.get(what) != after[what]
    ]


def _difference(what: str, before: str, after: str) -> str:
    if what == "seed" or what in HASHED and "none" not in (before, after):
        return what
    if what in HASHED:
        return f"{what} ({'no longer' if after == 'none' else 'there were none before'})"
    return f"{what} ({before}, then {after})"


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()[:16]


def _hash_of_code() -> str:
    digest = hashlib.sha256()
    for package in ("grading", "utils"):
        for source in sorted((COURSE / package).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
