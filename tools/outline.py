"""The course as a list of lessons, told by the first cell of each: what README's table and the links are made of.

# %% [markdown] question="what does one kernel buy?" write="conv2d, sizes, counts" minutes=75
# # 01 · Convolution: what does one kernel buy?
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext

from tools.lesson import CELL_MARKER, FILE_NAME, PERCENT, TITLE


@dataclass(frozen=True)
class Planned:
    """A lesson of the plan, written or not. `needs` are the lessons that it builds on, beside 00."""

    name: str
    question: str
    needs: tuple[str, ...] = ()
    spine: bool = False


PLAN = {
    "00": Planned("Start here", "who can influence whom?", spine=True),
    "01": Planned("Convolution", "what does one kernel buy?"),
    "02": Planned("CNN on MNIST", "can two convolutions pass 99 %?", ("01",), spine=True),
    "03": Planned("Receptive field", "which pixels reach this output?", ("01",), spine=True),
    "04": Planned("Depth and skips", "why can networks be deep?", ("01", "03")),
    "05": Planned("Recurrence", "what fits in one state?"),
    "06": Planned("Why RNNs forget", "how fast does influence fade?", ("05",)),
    "07": Planned("LSTM and GRU", "what do gates fix, and what not?", ("06",)),
    "08": Planned("The char-LSTM", "how far back does it look?", ("02",), spine=True),
    "09": Planned("From bottleneck to attention", "what does one vector lose?", ("05",)),
    "10": Planned("Self-attention", "what makes direct lookup work?"),
    "11": Planned("The tiny transformer", "which wins, at which budget?", ("08",), spine=True),
    "12": Planned("Recurrence returns", "recurrence without waiting?", ("07", "11")),
    "13": Planned("Building blocks", "what is built from these parts?", ("02", "11")),
    "14": Planned("The wall", "which architecture for this problem?", ("08", "11", "12")),
}
"""The lessons of the course. The numbers are final; what a lesson that exists says of itself comes before its plan."""

NUMBERS = list(PLAN)

NEXT, BEING_WRITTEN, MAP = "<!-- next -->", "<!-- being written -->", "<!-- map -->"
"""What a lesson's text holds where the build puts the link to the next lesson, a word on those to come, the map."""


@dataclass(frozen=True)
class Entry:
    """What a lesson says of itself in its first cell."""

    stem: str
    name: str
    question: str
    write: str
    minutes: Any

    @property
    def number(self) -> str:
        return self.stem[:2]

    @property
    def title(self) -> str:
        return f"{self.number} · {self.name}"


@dataclass(frozen=True)
class Outline:
    """The lessons that exist, in their order."""

    entries: list[Entry]

    def table(self) -> str:
        """README's table, in Markdown."""
        head = ["| lesson | question | you write | minutes |", "| --- | --- | --- | --- |"]
        rows = [
            f"| [{one.title}](notebooks/{one.stem}.ipynb) | {one.question} | {one.write} | {one.minutes} |"
            for one in self.entries
        ]
        missing = self._missing(NUMBERS)
        return "\n".join(
            [*head, *rows] + (["", f"The numbers are final. {_are_being_written(missing)}"] * bool(missing))
        )

    def fill(self, text: str, number: str) -> str:
        """A text of lesson `number`, with the places filled that depend on other lessons."""
        for place, content in (
            (NEXT, self.next(number)),
            (BEING_WRITTEN, self.being_written()),
            (MAP, self.map(number)),
        ):
            text = text.replace(place, content)
        return text

    def next(self, number: str) -> str:
        """Where a learner goes after lesson `number`."""
        following = next((one for one in self.entries if one.number > number), None)
        end = following.number if following else "99"
        between = self._missing([planned for planned in NUMBERS if number < planned < end])
        sentences = [_are_being_written(between)] if between else []
        if following:
            sentences.insert(0, f"[{following.title}]({following.stem}.ipynb): {following.question}")
        return f"**Next**: {' '.join(sentences)}" if sentences else "This was the last lesson."

    def being_written(self) -> str:
        """A sentence for as long as a lesson is missing. It names none, so that it seldom changes."""
        if not self._missing(NUMBERS):
            return ""
        return "Some lessons are still being written: where a text points to one that you do not find, it is planned."

    def map(self, here: str) -> str:
        """All lessons with the two paths through them, in Markdown, for a reader who is in lesson `here`."""
        rows = ["| path | lesson | question | builds on | minutes |", "| :-: | --- | --- | --- | --: |"]
        for number, planned in PLAN.items():
            entry = self._entry(number)
            minutes = entry.minutes if entry else "*being written*"
            question = entry.question if entry else planned.question
            path, needs = "◆" if planned.spine else "◇", ", ".join(planned.needs)
            rows.append(f"| {path} | {self._station(number, here)} | {question} | {needs} | {minutes} |")
        spine = [number for number, planned in PLAN.items() if planned.spine]
        short = " → ".join(number if self._entry(number) else f"{number} (being written)" for number in spine)
        missing = self._missing(NUMBERS)
        rest = f" {_are_being_written(missing)}" if missing else ""
        whole = f"the {len(self.entries)} lessons that exist today" if missing else f"all {len(PLAN)} lessons"
        return "\n".join(
            [
                *rows,
                "",
                f"- ◆ **The short path**: {short}. {self._hours(spine)}.",
                f"- ◆ and ◇ **The whole course**, in the order of the numbers: {whole}. {self._hours(NUMBERS)}.{rest}",
            ]
        )

    def _station(self, number: str, here: str) -> str:
        entry = self._entry(number)
        title = entry.title if entry else f"{number} · {PLAN[number].name}"
        if number == here:
            return f"**{title} ← you are here**"
        return f"[{title}]({entry.stem}.ipynb)" if entry else title

    def _hours(self, numbers: list[str]) -> str:
        """How long those of the lessons take that exist, by what they say themselves."""
        minutes = sum(int(entry.minutes or 0) for number in numbers if (entry := self._entry(number)))
        return f"About {round(minutes / 30) / 2:g} hours"

    def _entry(self, number: str) -> Entry | None:
        return next((one for one in self.entries if one.number == number), None)

    def _missing(self, planned: list[str]) -> list[str]:
        there = {one.number for one in self.entries}
        return [number for number in planned if number not in there]


def read(root: Path) -> Outline:
    """The outline of the course at `root`. A lesson whose first cell cannot be read is left to `tools.rules`."""
    files = sorted((root / "lessons").glob("*.py"))
    return Outline([entry for file in files if FILE_NAME.fullmatch(file.name) and (entry := _entry(file))])


def _entry(file: Path) -> Entry | None:
    lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    end = next((number for number, line in enumerate(lines[1:], start=1) if CELL_MARKER.match(line)), len(lines))
    first = jupytext.reads("\n".join(lines[:end]) + "\n", fmt=PERCENT).cells[0]
    title, options = TITLE.match(first.source), first.metadata
    if title is None:
        return None
    said = [options.get(key, "") for key in ("question", "write", "minutes")]
    return Entry(file.stem, title["name"].strip(), *said)


def _are_being_written(numbers: list[str]) -> str:
    """ "Lessons 04 to 07, 09 and 10 are being written." for a list that is not empty."""
    runs: list[list[str]] = []
    for number in numbers:
        if runs and int(runs[-1][-1]) + 1 == int(number):
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [part for run in runs for part in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else run)]
    if len(numbers) == 1:
        return f"Lesson {numbers[0]} is being written."
    return f"Lessons {' and '.join([', '.join(parts[:-1])] * bool(parts[:-1]) + parts[-1:])} are being written."
