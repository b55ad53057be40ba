"""Pictures of bench/results.json: one row for each bench, its name above it, so that a phone shows it too."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from bench.targets import Target
from utils.plotting.style import BLUE, COLORS, GREY, MARKERS, ORANGE, STYLE

SETTINGS: Any = STYLE | {"svg.hashsalt": "reach"}  # so that the same numbers always give the same file
WIDTH, ROW = 4.8, 0.72  # inches
LONGEST = 68  # characters of a row's name in one line


@dataclass(frozen=True)
class Picture:
    """An SVG with its alternative text."""

    svg: bytes
    alt: str


def plot_ratios(kinds: Mapping[str, Mapping[str, float]], targets: Mapping[str, Target], ax: Axes) -> str:
    """How many times as fast, for each kind of processor, and what it has to reach; returns what the rows say."""
    said = []
    for row, (name, target) in enumerate(targets.items()):
        _name_row(ax, row, f"{target.what}, against {target.against}")
        ax.plot(target.at_least, row, "|", color="black", markersize=16, label="has to reach" if row == 0 else "")
        measured = {kind: ratios[name] for kind, ratios in kinds.items() if name in ratios}
        said.append(f"{target.what}: {_list(measured.values())} times, has to reach {target.at_least:g}")
        for (kind, ratios), marker, color in zip(kinds.items(), MARKERS, COLORS, strict=False):
            ax.plot(ratios.get(name, float("nan")), row, marker, color=color, label=kind if row == 0 else "")
    ax.set(xscale="log", xlabel="times as fast (logarithmic)", title="Times as fast, and what was promised")
    _finish(ax, len(targets), (1, 2, 5, 10, 20, 50, 100))
    return "; ".join(said)


def plot_seconds(details: Mapping[str, Mapping], targets: Mapping[str, Target], ax: Axes) -> str:
    """Every run of ours and of what it is compared with, in seconds; returns what the rows say."""
    said = []
    for row, (name, target) in enumerate(targets.items()):
        _name_row(ax, row, target.what)
        ours, others = details[name]["seconds"], details[name]["reference_seconds"]
        ax.plot(ours, [row] * len(ours), "o", color=BLUE, alpha=0.7, label="the course" if row == 0 else "")
        label = "what it is compared with" if row == 0 else ""
        ax.plot(others, [row] * len(others), "s", color=ORANGE, alpha=0.7, label=label)
        said.append(f"{target.what}: {_list(ours)} s against {_list(others)} s")
    ax.set(xscale="log", xlabel="seconds (logarithmic)", title="Seconds of each run")
    _finish(ax, len(targets), (0.01, 0.1, 1, 10, 100))
    return "; ".join(said)


def plot_grading(per_minute: Mapping[str, float], target: Target, ax: Axes) -> str:
    """Submissions a minute as bars: nbgrader, one core and its target, two cores; returns what the bars say."""
    for row, (name, value) in enumerate(per_minute.items()):
        _name_row(ax, row, name)
        ax.barh(row, value, height=0.4, color=GREY if name.startswith("nbgrader") else BLUE)
        ax.annotate(f"{value:,.0f}", (value, row), (4, 0), textcoords="offset points", va="center")
    ax.plot(target.at_least, 1, "|", color="black", markersize=22, label="what one core has to reach")
    ax.set(xlabel=target.unit, title="Submissions of three exercises a minute")
    ax.margins(x=0.12)
    _finish(ax, len(per_minute), None)
    return "; ".join(f"{name}: {value:,.0f}" for name, value in per_minute.items()) + (
        f"; one core has to reach {target.at_least}"
    )


def drawn(rows: int, plot: Callable[..., str], *data: Any) -> Picture:
    """The picture that `plot(*data, ax)` draws, with room for so many rows."""
    with matplotlib.rc_context(SETTINGS):
        figure, ax = plt.subplots(figsize=(WIDTH, ROW * rows + 1.3), layout="constrained")
        said = plot(*data, ax)
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
        plt.close(figure)
    return Picture(stream.getvalue(), f"{ax.get_title('left')}. {said}.")


def _name_row(ax: Axes, row: int, name: str) -> None:
    ax.text(
        0.005, row - 0.26, "\n".join(wrap(name, LONGEST)), transform=ax.get_yaxis_transform(), va="bottom", fontsize=8.5
    )


def _finish(ax: Axes, rows: int, ticks: Iterable[float] | None) -> None:
    ax.set(ylim=(rows - 0.6, -0.85), yticks=[])
    ax.spines["left"].set_visible(False)
    if ticks is not None:
        ticks = list(ticks)
        ax.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
    ax.figure.legend(loc="outside lower left", ncols=3, frameon=False, fontsize=8.5)


def _list(values: Iterable[float]) -> str:
    return " and ".join(f"{value:.2g}" if value < 10 else f"{value:,.0f}" for value in values)
