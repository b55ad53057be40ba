"""What `make course` reports: results.json for programs, index.html for readers, a table for the terminal."""

import json
import os
import platform
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import jinja2
from nbformat import NotebookNode
from rich.markup import escape
from rich.table import Table

from utils.cells import headings
from utils.claims import CLAIM
from utils.files import write_whole
from utils.notebook import HEADLINE, as_text

TEMPLATE = Path(__file__).with_name("course_report.html.j2")


@dataclass
class Figure:
    png: str  # base64, as it stands in the notebook
    section: str  # the heading that it stands under
    alt: str


@dataclass
class Failure:
    cell: str  # first line of the cell's code
    message: str


@dataclass
class LessonResult:
    """What one run of one lesson has shown. `failure` is None where it ran from start to finish."""

    number: str
    title: str
    seconds: float
    peak_mb: int | None  # None where the kernel ended too soon to be measured
    data: str | None = None
    headline: dict[str, float | int | str | list | dict] = field(default_factory=dict)
    claims: list[dict] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    failure: Failure | None = None

    def read_outputs(self, notebook: NotebookNode) -> None:
        """Take the figures, the claims and the headline results from the outputs of an executed notebook."""
        section = self.title
        for cell in notebook.cells:
            section = ([section] + headings(cell))[-1]
            for output in cell.get("outputs", []):
                self._read_output(output, section)

    def _read_output(self, output: NotebookNode, section: str) -> None:
        bundle = output.get("data", {})
        if HEADLINE in bundle:
            self.data = bundle[HEADLINE]["data"]
            self.headline.update(bundle[HEADLINE]["headline"])
        if CLAIM in bundle:
            self.claims.append(bundle[CLAIM] | {"section": section})
        if "image/png" in bundle:
            # nbconvert reads a figure's alt text from the same place.
            given = output.metadata.get("image/png", {}).get("alt")
            alt = given or f"Figure {len(self.figures) + 1} of lesson {self.number}, from the section “{section}”"
            self.figures.append(Figure(bundle["image/png"], section, alt))

    def for_programs(self) -> dict:
        """This lesson's entry in results.json; the key "error" is there only where it failed."""
        entry = {
            "data": self.data,
            "seconds": round(self.seconds, 1),
            "peak_mb": self.peak_mb,
            "headline": self.headline,
            "claims": self.claims,
        }
        if self.failure:
            entry["error"] = {"cell": self.failure.cell, "message": self.failure.message}
        return entry


def table(results: list[LessonResult]) -> Table:
    """The summary for the terminal."""
    lines = Table("lesson", "headline results", title="The course, lesson by lesson")
    for heading in ("seconds", "peak MB"):
        lines.add_column(heading, justify="right")
    lines.add_column("data")
    for result in results:
        headline = [f"{name.replace('_', ' ')}: {as_text(value)}" for name, value in result.headline.items()]
        if false := [one["text"] for one in result.claims if not one["holds"]]:
            headline += [f"does not hold here: {text}" for text in false]
        if result.failure:
            headline.append(f"FAILED at: {result.failure.cell}\n{result.failure.message}")
        peak = "–" if result.peak_mb is None else str(result.peak_mb)
        row = (result.title, "\n".join(headline) or "–", f"{result.seconds:.1f}", peak, result.data or "–")
        lines.add_row(*map(escape, row), style="red" if result.failure else None, end_section=True)
    return lines


def write(results: list[LessonResult], folder: Path, unfinished: list[str]) -> None:
    """Write results.json and index.html, each whole or not at all.

    Args:
        results: what ran, in the order of the lessons.
        folder: where the two files go; made if it is missing.
        unfinished: numbers of the lessons that the run was stopped before or in.
    """
    for_programs = {"lessons": {result.number: result.for_programs() for result in results}}
    write_whole(folder / "results.json", json.dumps(for_programs, indent=2, ensure_ascii=False) + "\n")
    write_whole(folder / "index.html", page(results, unfinished))


def page(results: list[LessonResult], unfinished: list[str]) -> str:
    """The report as one HTML page that needs nothing beside it."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["show"] = as_text
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        results=results,
        failed=[result.number for result in results if result.failure],
        unfinished=unfinished,
        when=datetime.now().strftime("%Y-%m-%d %H:%M"),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        versions=f"Python {platform.python_version()}, torch {version('torch')}",
    )
