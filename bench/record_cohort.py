"""`python -m bench.record_cohort`: what an evening takes with 500 to 20,000 submissions, to docs/recorded/cohort.json.

A sample of the demo's submissions is graded in the sandbox, and copied; see `bench.cohort`. The seconds are those of
the processor, so that other work may run beside it.
"""

import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.cohort import CELL_SECONDS, Taken, make_cohort, make_export, make_roster, run
from bench.machine import prepare
from bench.recording import record
from grading.classroom import Classroom
from grading.demo.making import NAME
from utils.paths import COURSE

SIZES = (500, 2_000, 20_000)
SAMPLE = 500
NEW = 100  # come in later
LIMITS = ("--cell-seconds", str(CELL_SECONDS), "--workers", "1")
PLACE = COURSE / "docs" / "recorded" / "cohort.json"


def main() -> None:
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        sample = Classroom(Path(folder) / "sample")
        grading = _grade_sample(sample)
        sizes = {size: _evening(sample, Path(folder) / str(size), size) for size in SIZES}
    record(
        PLACE,
        "record_cohort",
        load_at_the_end=os.getloadavg(),
        sample={"submissions": SAMPLE, "processor_seconds_each": grading.processor_seconds / SAMPLE},
        new=NEW,
        sizes=sizes,
        growth={step: growth(sizes, step) for step in sizes[SIZES[0]]["steps"]},
    )


def growth(sizes: Mapping[int, Mapping[str, Any]], step: str) -> float | None:
    """The exponent by which a step's work grows from 2,000 on, its start taken off; 1: each one more costs the same.

    None where more submissions cost hardly more than the start.
    """
    first, large, largest = (sizes[size]["steps"][step] for size in SIZES)
    more, most = (one["processor_seconds"] - first["processor_seconds"] for one in (large, largest))
    if more < 0.1 * first["processor_seconds"]:
        return None
    return math.log(most / more) / math.log((SIZES[-1] - SIZES[0]) / (SIZES[-2] - SIZES[0]))


def _grade_sample(sample: Classroom) -> Taken:
    run("grading.cli", "demo", "--class", sample.root, "--size", str(SAMPLE))
    return run("grading.cli", "grade", "--class", sample.root, *LIMITS)


def _evening(sample: Classroom, folder: Path, size: int) -> dict[str, Any]:
    root = folder / "class"
    root.mkdir(parents=True)
    classroom = Classroom(root)
    make_cohort(sample, classroom, size)
    roster, export, archive = make_roster(classroom, NEW, folder), make_export(sample, NEW, folder), folder / "year.zip"
    of_class = ("--class", root)
    steps = {
        "roster": ("roster", roster, *of_class),
        "grade, nothing to do": ("grade", *LIMITS, *of_class),
        "collect the new": ("collect", export, *of_class),
        "grade the new, judged elsewhere": ("bench.cohort", root, sample.root),
        "report": ("report", *of_class),
        "similar": ("similar", *of_class),
        "export": ("export", folder / "scores.csv", *of_class),
        "feedback": ("feedback", *of_class),
        "archive": ("archive", archive, *of_class),
        "restore": ("restore", archive, "--class", folder / "again"),
    }
    taken = {}
    for step, words in steps.items():
        taken[step] = asdict(run(*words) if words[0] == "bench.cohort" else run("grading.cli", *words))
        print(f"{size:,}: {step}: {taken[step]}", flush=True)
    files = {"gradebook": classroom.gradebook, "class_page": classroom.report(NAME), "archive": archive}
    megabytes = {name: path.stat().st_size / 1e6 for name, path in files.items()}
    return {"steps": taken, "megabytes": megabytes}


if __name__ == "__main__":
    main()
