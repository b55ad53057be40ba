"""Who came when: the architectures that the course speaks of, by the year in which each was first made public."""

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes

from utils.plotting.style import COLORS, GREY, axes

Event = tuple[int, str, str]

# Year of the first public version: a preprint where there was one, so some papers carry a later year.
EVENTS: list[Event] = [
    (1986, "Jordan network", "recurrence"),
    (1989, "CNN trained by gradients", "convolution"),
    (1990, "Elman network", "recurrence"),
    (1991, "vanishing gradients explained", "recurrence"),
    (1997, "LSTM", "recurrence"),
    (1997, "bidirectional RNN", "recurrence"),
    (1998, "LeNet-5", "convolution"),
    (2012, "AlexNet", "convolution"),
    (2014, "GRU", "recurrence"),
    (2014, "sequence to sequence", "recurrence"),
    (2014, "VGG", "convolution"),
    (2014, "attention for translation", "attention"),
    (2015, "dilated convolutions", "convolution"),
    (2015, "ResNet", "convolution"),
    (2016, "WaveNet", "convolution"),
    (2017, "transformer", "attention"),
    (2018, "GPT, BERT", "attention"),
    (2019, "EfficientNet", "convolution"),
    (2020, "vision transformer", "attention"),
    (2022, "ConvNeXt", "convolution"),
    (2023, "RWKV, Mamba", "recurrence"),
    (2024, "xLSTM", "recurrence"),
]
"""(year, what, which flow), in the order of the years. The papers are listed at the end of lesson 00."""

FLOWS = ("convolution", "recurrence", "attention")


def longest_gap(events: Sequence[Event] = EVENTS) -> tuple[int, int]:
    """The two neighbouring years of the list that lie furthest apart."""
    years = sorted({year for year, _, _ in events})
    return max(pairwise(years), key=lambda pair: pair[1] - pair[0])


def plot_timeline(events: Sequence[Event] = EVENTS, title: str = "", ax: Axes | None = None) -> Axes:
    """The years downwards, all of the same height, and one column for each flow. The longest gap is shaded."""
    first, last = min(events)[0], max(events)[0]
    ax = axes(ax, (7.2, 0.17 * (last - first) + 0.9))
    start, end = longest_gap(events)
    ax.axhspan(start + 0.5, end - 0.5, color="#eaeef2", zorder=0)
    ax.text(
        2.9,
        (start + end) / 2,
        f"{end - start} years from one entry to the next",
        color=GREY,
        ha="right",
        va="center",
        fontsize=9,
    )
    for column, (flow, marker, color) in enumerate(zip(FLOWS, "s^o", COLORS, strict=False)):
        years = sorted({year for year, _, of_flow in events if of_flow == flow})
        ax.plot([column, column], [years[0], last], color=color, lw=1, alpha=0.35, zorder=1)
        for year in years:
            names = [name for when, name, of_flow in events if (when, of_flow) == (year, flow)]
            ax.plot(column, year, marker, color=color, ms=6)
            ax.text(column + 0.06, year, ", ".join(names), va="center", fontsize=8)
    ax.set_xticks(range(len(FLOWS)), FLOWS, ha="left", fontweight="bold")
    ax.set_yticks(range(first - first % 5 + 5, last + 1, 5))
    ax.set_yticks(range(first, last + 1), minor=True)
    ax.set(title=title, xlim=(-0.08, len(FLOWS) - 0.05), ylim=(last + 0.8, first - 0.8))
    ax.set(ylabel="year of the first public version")
    ax.xaxis.tick_top()
    ax.tick_params(axis="x", length=0)
    for side in ("top", "bottom"):
        ax.spines[side].set_visible(False)
    return ax
