"""The symbols of the course on one page, to be printed."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from utils.plotting.style import BLUE, GREY, axes

SYMBOLS = [
    ("$x_t$", "x[t]", "input vector at position $t$", "(C,)"),
    ("$h_t$", "h[t]", "hidden state of an RNN at position $t$", "(H,)"),
    ("$W_x$, $W_h$", "W_x, W_h", "weights for the input and for the previous state", "(H, C), (H, H)"),
    ("$y_t$", "y[t]", "output of a convolution at position $t$", "(C_out,)"),
    ("$W_i$", "W[i]", "weights of the window at offset $i$", "(C_out, C)"),
    ("$Q$, $K$, $V$", "Q, K, V", "all queries, keys and values, one row per word", "(T, d_k), (T, d_k), (T, d_v)"),
    (
        "$q_i$, $k_j$, $v_j$",
        "Q[i], K[j], V[j]",
        "query of word $i$, key and value of word $j$",
        "(d_k,), (d_k,), (d_v,)",
    ),
    ("$d_k$", "d_k", "length of a key", "a number"),
    (r"$\alpha_{ij}$", "alpha[i, j]", "how much word $i$ looks at word $j$", "a number"),
    ("$z_i$", "z[i]", "what word $i$ gets: its context vector", "(d_v,)"),
]
"""(symbol, in code, what it is, shape), the rows of lesson 00's table."""

LETTERS = [
    ("B", "samples in a batch; N for images in lessons 01 to 03"),
    ("T, S", "positions in time or text; S: those that are looked at, where they are others"),
    ("C", "channels: the length of a vector"),
    ("D", "channels of one head of attention, C / H: its $d_k$"),
    ("H, W", "height and width of an image"),
    ("H", "for an RNN: the size of its hidden state; for attention, from lesson 10 on: heads"),
    ("V", "how many different tokens there are; in attention, the values"),
    ("k", "half a window (lesson 00), a kernel's size (from lesson 01), a key, steps back"),
    (r"$\odot$, $\sigma$", r"number by number; the sigmoid, $\sigma(u) = 1 \,/\, (1 + e^{-u})$"),
]

FLOWS = [
    (
        "convolution",
        r"$y_t = \sum_{i=-k}^{k} W_i\, x_{t+i}$",
        "a band, both sides",
        r"$\lceil d/k \rceil$ layers; about $\log_2 d$ if dilated",
    ),
    ("recurrence", r"$h_t = \tanh(W_x x_t + W_h h_{t-1} + b)$", "all before, nothing after", "$d + 1$ steps"),
    (
        "self-attention",
        r"$\alpha_{ij} = \mathrm{softmax}_j(q_i \cdot k_j / \sqrt{d_k})$,  $z_i = \sum_j \alpha_{ij} v_j$",
        "all (masked: all before)",
        "1 step",
    ),
]
"""(flow, formula, what it reaches, shortest path over distance d)."""

RULER = [
    r"$\mathrm{influence}_{ij} = \sqrt{\sum_a \sum_b \left(\partial y_{i,a} \,/\, \partial x_{j,b}\right)^2}$",
    "row $i$: the output.  column $j$: the input.  Information flows from $j$ to $i$.",
    "reach map: 1 where the influence can differ from 0.  The architecture sets the zeros, the weights set the rest.",
]


def plot_symbols(title: str = "The symbols of Reach, on one page", ax: Axes | None = None) -> Axes:
    """A page of A4, sharp enough to print: letters of shapes, symbols, the three flows, the ruler."""
    if ax is None:
        ax = axes(None, (8.3, 10.4))
        ax.figure.set_dpi(110)
    ax.set(xlim=(0, 1), ylim=(51, 0), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(title, fontsize=15, fontweight="bold")
    row = _table(ax, 1, "Letters of shapes", ("letter", "stands for"), LETTERS, (0, 0.16))
    row = _table(ax, row, "Symbols", ("symbol", "in code", "what it is", "shape"), SYMBOLS, (0, 0.16, 0.34, 0.74))
    columns = ("flow", "formula", "reaches", "path over distance $d$")
    row = _table(ax, row, "The three flows", columns, FLOWS, (0, 0.13, 0.48, 0.71), height=2.2)
    _heading(ax, row, "The ruler")
    for number, line in enumerate(RULER):
        ax.text(0, row + 2.4 + 1.9 * number, line, fontsize=9, va="center")
    return ax


def _table(
    ax: Axes,
    row: float,
    heading: str,
    columns: Sequence[str],
    lines: Sequence[Sequence[str]],
    left: Sequence[float],
    height: float = 1.35,
) -> float:
    """A table with its heading at `row`, each column beginning at its place in `left`; returns the next free row."""
    _heading(ax, row, heading)
    row += 1.5
    for x, column in zip(left, columns, strict=True):
        ax.text(x, row, column, fontsize=8, color=GREY, va="center")
    for line in lines:
        row += height
        ax.axhline(row - height / 2, color="#d0d7de", lw=0.6)
        for number, (x, text) in enumerate(zip(left, line, strict=True)):
            code = columns[number] in ("in code", "shape")
            ax.text(x, row, text, fontsize=8 if code else 9, family="monospace" if code else None, va="center")
    return row + 2.2


def _heading(ax: Axes, row: float, heading: str) -> None:
    ax.text(0, row, heading, fontsize=11, fontweight="bold", color=BLUE, va="center")
