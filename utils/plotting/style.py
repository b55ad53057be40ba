"""What all figures share: colours, markers, the style sheet, the axes to draw on."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.rcsetup import cycler

COLORS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000"]
"""Okabe and Ito's palette (2008), which colour-blind readers can tell apart."""

BLUE, ORANGE, GREEN = COLORS[:3]
GREY = "#57606a"
MARKERS = "os^dvPDX"

VISIBLE = str.maketrans({"\n": "↵", " ": "·"})
"""For `str.translate`: characters that would leave nothing to see."""

STYLE: dict[str, Any] = {
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.dpi": 90,
    "figure.figsize": (6.5, 3.2),
    "image.cmap": "viridis",
    "savefig.bbox": "tight",
}


def use_style() -> None:
    """From here on, figures look as those of the course do."""
    plt.style.use(STYLE)


def axes(ax: Axes | None, size: tuple[float, float] | None = None) -> Axes:
    """The axes given, or those of a new figure of this size (width and height in inches; the style's unless told)."""
    return ax if ax is not None else plt.subplots(figsize=size, layout="constrained")[1]


def draw_levels(ax: Axes, levels: Mapping[str, float]) -> None:
    """Values to compare with, as dashed lines with their names at the right."""
    for name, level in levels.items():
        ax.axhline(level, color="black", linestyle="--", linewidth=1)
        ax.annotate(name, (1, level), (-2, 3), ("axes fraction", "data"), "offset points", ha="right", fontsize=9)
