"""Speed: what `make bench` measured, as pictures and as a table."""

import json

from bench.targets import TARGETS, Target
from tools.site.course import Course
from tools.site.speed_figures import Picture, drawn, plot_grading, plot_ratios, plot_seconds
from tools.site.text import plain

FIRST = "speed.md"
SHOWS = {"bench/results.json": FIRST}

PAGE = """# Speed

A course that trains networks on a laptop has to be quick, and so has a grader of hundreds of notebooks. `make bench`
measures both. {reached}

## Against what is usual

Ours and the other way are timed in one run, on the same machine, and the result is a ratio. The
ratio of training times differs on a processor with wider vectors, so each kind of processor has a mark of its own.

{ratios}

## In seconds

{seconds}

The recipes train to the same quality: the CNN to 99.0 % on MNIST's test images, both language models to 1.886 nats a
character on the last tenth of tiny Shakespeare. These serve as stopwatches here; what we chose, we chose on other data.
[The benches]({repository}/tree/main/bench) say exactly what is timed.

## Grading

{grading}

The bar of one core is a run of its own. How much faster two are is measured against each of the two alone, in the mean,
since cores can differ.

## The numbers

{table}

{machines} `make bench` measures them on yours, and writes `bench/results.json`.
"""


def pages(course: Course) -> dict[str, str | bytes]:
    """The page and its pictures."""
    results = json.loads(course.read("bench/results.json"))
    measured = {name: target for name, target in TARGETS.items() if results.get(name) is not None}
    compared = {name: target for name, target in measured.items() if target.against}
    details = results["details"]
    pictures = {
        "ratios": drawn(len(compared), plot_ratios, results["kinds"], compared),
        "seconds": drawn(len(compared), plot_seconds, details, compared),
        "grading": drawn(3, plot_grading, _per_minute(details), TARGETS["grading_per_minute_one_core"]),
    }
    shown = {name: _image(name, picture) for name, picture in pictures.items()}
    text = PAGE.format(
        **shown,
        reached=_reached(results, measured),
        table=_table(results, measured),
        machines=_machines([details[name] for name in measured]),
        repository=course.repository.address,
    )
    return {FIRST: text} | {f"speed_{name}.svg": picture.svg for name, picture in pictures.items()}


def _image(name: str, picture: Picture) -> str:
    return f"![{plain(picture.alt)}](speed_{name}.svg)"


def _per_minute(details: dict) -> dict[str, float]:
    """Submissions a minute, by grader and cores; the last two come from the same class of 1,000."""
    one, two, stock = (details[f"grading_{name}"] for name in ("per_minute_one_core", "two_cores", "speedup"))
    return {
        "nbgrader's autograde on one core": 60 / stock["reference_seconds"][0],
        "reach-grade on one core": 60 * one["submissions"] / one["seconds"][0],
        "reach-grade on two cores": 60 * two["submissions"] / two["seconds"][0],
    }


def _reached(results: dict, measured: dict[str, Target]) -> str:
    short = [target.what for name, target in measured.items() if results[name] < target.at_least]
    done = f"{len(measured) - len(short)} of its {len(measured)} results reach their goal."
    return done + (f" Not reached: {'; '.join(short)}." if short else "")


def _table(results: dict, measured: dict[str, Target]) -> str:
    lines = ["| what | against | result | at least | reached |", "| --- | --- | --: | --: | --- |"]
    for name, target in measured.items():
        value, reached = results[name], "✓ yes" if results[name] >= target.at_least else "✗ no"
        numbers = f"{_rounded_down(value)} {target.unit} | {target.at_least:g}"
        lines.append(f"| {target.what} | {target.against or '–'} | {numbers} | {reached} |")
    return "\n".join(lines)


def _rounded_down(value: float) -> str:
    """Three digits, never more than what was measured."""
    return (
        f"{int(value * 100) / 100:g}" if value < 10 else f"{int(value * 10) / 10:g}" if value < 100 else f"{int(value)}"
    )


def _machines(details: list[dict]) -> str:
    said = {
        f"{one['machine']}, {one['threads']} thread, torch {one['torch']}, Python {one['python']}" for one in details
    }
    return f"Measured on: {'; '.join(sorted(said))}."
