"""How many disguised copies `reach-grade similar` lists, how many pairs that are none, and how long it takes.

A class is 200 independent students with right answers of lesson 01 in the styles of the course's own tests, each with
small differences and names of their own, and 20 more who copied: four in each disguise, half of them all answers, the
others two. Who copied what the course itself shows cannot be found, and such pairs count all the same.
"""

import random
import tempfile
import time
from collections import Counter
from pathlib import Path

import nbformat

from bench.disguises import DISGUISES
from bench.machine import prepare
from bench.recording import record
from bench.similar_class import handed_in, independent
from grading.assignment import Assignment, load_assignment
from grading.similarity.comparing import compare
from grading.similarity.works import File
from utils.paths import NOTEBOOKS, RECORDED

INDEPENDENT, COPIES = 200, 20
SEEDS = 5
SIZES = (100, 500, 2_000)  # submissions of which the time is taken


def one_class(assignment: Assignment, seed: int) -> tuple[list[File], dict[frozenset[str], tuple[str, str]]]:
    """The files of a class, and {pair who copied: (what was copied, its disguise)}."""
    rng = random.Random(seed)
    answers = {f"s{number:03}": independent(assignment, rng) for number in range(INDEPENDENT)}
    copied = {}
    for number in range(COPIES):
        disguise = list(DISGUISES)[number % len(DISGUISES)]
        whole = number < COPIES // 2
        source, copy = f"s{number:03}", f"c{number:03}"
        cells = list(answers[source]) if whole else rng.sample(list(answers[source]), 2)
        disguised = {cell: DISGUISES[disguise](answers[source][cell], rng) for cell in cells}
        answers[copy] = independent(assignment, rng) | disguised
        copied[frozenset((source, copy))] = "all answers" if whole else "two answers", disguise
    return [_file(assignment, student, own) for student, own in answers.items()], copied


def main() -> None:
    prepare()
    assignment = load_assignment(NOTEBOOKS / "01_convolution.ipynb")
    there, found, wrong = Counter(), Counter(), []
    for seed in range(SEEDS):
        files, copied = one_class(assignment, seed)
        listed = {frozenset((*one.one.students, *one.other.students)) for one in compare(assignment, files, {}).alike}
        for pair, kinds in copied.items():
            for kind in kinds:
                there[kind] += 1
                found[kind] += pair in listed
        wrong.append(len(listed - copied.keys()))
        print(f"class {seed}: {len(listed & copied.keys())} of {COPIES} copies, {wrong[-1]} other pairs")
    record(
        RECORDED / "similar.json",
        "record_similar",
        classes=SEEDS,
        independent=INDEPENDENT,
        copies=COPIES,
        listed={kind: f"{found[kind]} of {there[kind]}" for kind in there},
        pairs_that_are_none=wrong,
        pairs_in_a_class=(INDEPENDENT + COPIES) * (INDEPENDENT + COPIES - 1) // 2,
        seconds={size: _seconds(assignment, size) for size in SIZES},
    )


def _seconds(assignment: Assignment, size: int) -> float:
    """Of processor time on one core, for so many different files on disk."""
    rng = random.Random(size)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number in range(size):
            path = Path(folder, f"{number}.ipynb")
            path.write_bytes(_file(assignment, "", independent(assignment, rng)).read())
            files.append(File(str(number), str(number), path.read_bytes))
        started = time.process_time()
        compare(assignment, files, {})
        return round(time.process_time() - started, 1)


def _file(assignment: Assignment, student: str, answers: dict[str, str]) -> File:
    content = nbformat.writes(handed_in(assignment, answers)).encode()
    return File(student, student, lambda: content)


if __name__ == "__main__":
    main()
