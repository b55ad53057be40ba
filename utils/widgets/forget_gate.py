"""The time scale of a forget gate: move its bias, and watch how long a cell keeps what was written."""

import math

import numpy as np
from matplotlib.figure import Figure

from utils.widgets.book import Book, Page, slider

STEPS = 5_000  # as far as the picture goes
FIRST = 0.25  # of a step: where it begins


def gate_of(bias: float) -> float:
    """The forget gate that a bias alone makes."""
    return 1 / (1 + math.exp(-bias))


def half_life(f: float) -> float:
    """Steps until half is left; the time scale, until 1/e is left, is 1 / ln 2 = 1.44 times as long."""
    return math.log(0.5) / math.log(f)


def describe(bias: float) -> str:
    """What a status line says of this bias."""
    f, half = gate_of(bias), half_life(gate_of(bias))
    return (
        f"f = {f:.4f}: half is left after {half:.1f} steps, 1/e after {half / math.log(2):.1f}; "
        f"after 50 steps {_percent(f**50)}, after 500 steps {_percent(f**500)}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share > 1e-5 else "less than 0.001 %"


def draw(bias: float) -> Figure:
    """What is left of the cell against steps (logarithmic), with its half-life, beside that of bias 1."""
    import matplotlib.pyplot as plt

    from utils.plotting.style import BLUE, GREY, ORANGE

    f = gate_of(bias)
    figure, ax = plt.subplots(figsize=(6.2, 2.8), layout="constrained")
    steps = np.geomspace(FIRST, STEPS, 200)
    ax.plot(steps, 100 * gate_of(1) ** steps, "--", color=GREY, lw=1, label="bias 1")
    ax.plot(steps, 100 * f**steps, color=BLUE, lw=2.5, label=f"bias {bias:g}: f = {f:.4f}")
    ax.plot(half_life(f), 50, "o", color=ORANGE, ms=9)
    ax.axhline(50, color=ORANGE, ls=":", lw=1)
    ax.set(xscale="log", xlabel="steps since it was written", ylabel="left of the cell (%)", ylim=(-3, 104))
    ticks = (1, 3, 10, 30, 100, 300, 1000, 3000)
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.minorticks_off()
    ax.set_title("The orange dot: half is left")
    ax.legend(frameon=False, fontsize=9, loc="lower left")
    return figure


def page(bias: float) -> Page:
    """What the widget shows at this bias."""
    return Page(describe(bias), draw(bias), "What is left of the cell, step by step.")


def forget_gate() -> None:
    """Show a slider for the bias of a forget gate; the picture is drawn again at every change."""
    import ipywidgets as widgets

    from utils.widgets.still import follow, show

    bias = widgets.FloatSlider(value=3, min=-2, max=8, step=0.5, description="bias:", continuous_update=False)
    said, canvas = widgets.HTML(), widgets.HTML()

    def redraw() -> None:
        said.value, canvas.value = page(bias.value).as_html()

    follow([bias], redraw)
    explorer = widgets.VBox([bias, said, canvas])
    explorer.add_class("forget-gate")
    alt = "A slider for the bias of a forget gate, and what is left of the cell. Run the cell to move it."
    show(explorer, draw(bias.value), alt, Book([slider("bias", np.arange(-2, 8.5, 0.5).tolist(), bias.value)], page))
