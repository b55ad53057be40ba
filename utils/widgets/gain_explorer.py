"""The gain of W_h: move one number, and watch the Jacobian of a chain vanish, hold or explode."""

import math

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from utils.plotting.gradients import plot_norms
from utils.plotting.style import BLUE, GREY, ORANGE
from utils.reach.recurrent import jacobian_norms, tanh_states
from utils.widgets.book import Book, Page, menu, slider
from utils.widgets.still import follow, selected, show

H, STEPS = 32, 80
SPREAD = 0.3  # standard deviation of what each input adds to a sum
ALT = "Left: singular values and eigenvalues of W. Right: norm of the Jacobian against the gap, with tanh and without."


def start(kind: str) -> Tensor:
    """W_h (H, H) at gain 1, in float64: "orthogonal", "random" (normal, spectral radius about 1) or "lopsided".

    The last is made of pairs: at gain 0.9 each is [[0.9, 5], [0, 0.9]].
    """
    draw = torch.Generator().manual_seed(0)
    if kind == "orthogonal":
        return nn.init.orthogonal_(torch.empty(H, H, dtype=torch.float64), generator=draw)
    if kind == "random":
        return torch.randn(H, H, generator=draw, dtype=torch.float64) / math.sqrt(H)
    pair = torch.tensor([[1, 5 / 0.9], [0, 1]], dtype=torch.float64)
    return torch.block_diag(*[pair] * (H // 2))


KINDS = ("orthogonal", "random", "lopsided")


def curves(kind: str, gain: float) -> dict[str, Tensor]:
    """Norm of ∂h_T/∂h_{T−k} for k = 0 to STEPS, of the linear chain and of the one with tanh."""
    W_h = gain * start(kind)
    draw = torch.Generator().manual_seed(1)
    inputs = SPREAD * torch.randn(STEPS, H, generator=draw, dtype=torch.float64)
    return {
        "linear": jacobian_norms(W_h, None, STEPS),
        "with tanh": jacobian_norms(W_h, tanh_states(W_h, inputs)),
    }


def summary(kind: str, gain: float) -> str:
    """Singular values, spectral radius, and when the norm first falls below 1 %, in a sentence."""
    W_h = gain * start(kind)
    radius, largest = torch.linalg.eigvals(W_h).abs().max(), torch.linalg.svdvals(W_h)[0]
    said = [f"spectral radius {radius:.2f}, largest singular value {largest:.2f}"]
    for name, norms in curves(kind, gain).items():
        below = (norms < 0.01).nonzero()
        peak = f"peaks at {norms.max():,.3g}" if norms.max() > 1.005 else "never grows"
        end = f"under 1 % at gap {int(below[0])}" if len(below) else f"not under 1 % in {STEPS} steps"
        said.append(f"{name}: {peak}, {end}")
    return "; ".join(said) + "."


def draw(kind: str, gain: float) -> Figure:
    """Spectra on the left, Jacobian norms on the right."""
    figure = Figure(figsize=(8.2, 3.1), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.9))
    W_h = gain * start(kind)
    eigenvalues, circle = torch.linalg.eigvals(W_h), torch.linspace(0, 2 * math.pi, 200)
    left.plot(circle.cos(), circle.sin(), color="black", lw=1, ls="--")
    largest = float(torch.linalg.svdvals(W_h)[0])
    left.plot(largest * circle.cos(), largest * circle.sin(), color=ORANGE, lw=1.5)
    left.plot(eigenvalues.real, eigenvalues.imag, "o", color=BLUE, ms=3.5)
    left.axhline(0, color=GREY, lw=0.5)
    side = 1.15 * max(1.0, largest)
    left.set(xlabel="real part", ylabel="imaginary part", aspect="equal", xlim=(-side, side), ylim=(-side, side))
    left.set_title("eigenvalues (dots), σ₁ (orange)", fontsize=9)
    plot_norms(curves(kind, gain), floor=1e-6, ax=right)
    right.set_title("How strongly the last state depends on the one k steps before", fontsize=9)
    right.set_ylim(1e-6, 1e6)
    return figure


def page(kind: str, gain: float) -> Page:
    """What the explorer shows of this matrix at this gain."""
    return Page(f"Gain {gain:.2f}: {summary(kind, gain)}", draw(kind, gain), ALT)


def gain_explorer() -> None:
    """Show a menu of matrices and a slider for their gain; spectra and norms are drawn again at every change."""
    kind = widgets.Dropdown(options=KINDS, description="W_h:")
    gain = widgets.FloatSlider(value=1.0, min=0.5, max=1.5, step=0.05, description="gain:", continuous_update=False)
    said, canvas = widgets.HTML(), widgets.HTML()

    def redraw() -> None:
        said.value, canvas.value = page(selected(kind), gain.value).as_html()

    follow([kind, gain], redraw)
    explorer = widgets.VBox([widgets.HBox([kind, gain]), said, canvas])
    explorer.add_class("gain-explorer")
    gains = (0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5)  # at 1.35 the random one falls again
    book = Book([menu("W_h", KINDS), slider("gain", gains, 1)], page)
    show(explorer, draw(KINDS[0], 1.0), f"A slider for the gain of W_h. {ALT} Run the cell to move it.", book)
