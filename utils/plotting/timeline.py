"""Who came when: the architectures that the course speaks of, by the year in which each was first made public."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from utils.plotting.style import COLORS, axes

# Year of the first public version: a preprint where there was one, so some papers carry a later year.
EVENTS = [
    (1986, "Jordan network", "recurrence"),
    (1989, "CNN trained by gradients", "convolution"),
    (1990, "Elman network", "recurrence"),
    (1991, "vanishing gradients explained", "recurrence"),
    (1997, "LSTM", "recurrence"),
    (1998, "LeNet-5", "convolution"),
    (2012, "AlexNet", "convolution"),
    (2014, "GRU", "recurrence"),
    (2014, "sequence to sequence", "recurrence"),
    (2014, "VGG", "convolution"),
    (2014, "attention for translation", "attention"),
    (2015, "ResNet", "convolution"),
    (2017, "transformer", "attention"),
    (2018, "GPT, BERT", "attention"),
    (2019, "EfficientNet", "convolution"),
    (2020, "vision transformer", "attention"),
    (2022, "ConvNeXt", "convolution"),
    (2023, "RWKV, Mamba", "recurrence"),
    (2024, "xLSTM", "recurrence"),
]
"""(year, what, which flow), in the order of the years. The papers are listed at the end of lesson 00."""


def plot_timeline(events: Sequence[tuple[int, str, str]] = EVENTS, title: str = "", ax: Axes | None = None) -> Axes:
    """One row for each event, from the oldest down to the newest, one column for each flow.

    Rows are evenly spaced: the way between two of them says nothing about the years between.
    """
    ax = axes(ax, (6.8, 0.25 * len(events) + 0.8))
    columns = ["convolution", "recurrence", "attention"]
    shapes = dict(zip(columns, zip("s^o", COLORS, strict=False), strict=True))
    for row, (_, name, flow) in enumerate(events):
        (marker, color), left = shapes[flow], columns.index(flow)
        ax.axhline(row, color="#eaeef2", lw=0.8, zorder=0)
        ax.plot(left, row, marker, color=color, ms=7)
        ax.text(left + 0.06, row, name, va="center", fontsize=8.5)
    years = [year for year, _, _ in events]
    new = [str(year) if year not in years[:row] else "" for row, year in enumerate(years)]
    ax.set_yticks(range(len(events)), new)
    ax.set_xticks(range(len(columns)), columns, ha="left", fontweight="bold")
    ax.set(title=title, xlim=(-0.08, len(columns)), ylabel="year of the first public version")
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.invert_yaxis()
    ax.spines[:].set_visible(False)
    return ax
