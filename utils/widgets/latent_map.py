"""Walk through the codes of an autoencoder: two sliders, the digit at that place, and its neighbours."""

from functools import partial

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.plotting.images import plot_image
from utils.plotting.latents import Decode, atlas
from utils.plotting.style import ORANGE
from utils.widgets.book import Book, Page, slider

REACH, STEP = 3.2, 0.4  # as far as the sliders go; from one neighbour to the next


def describe(x: float, y: float) -> str:
    """What a status line says of this place."""
    price = 0.5 * (x * x + y * y)
    code = f"({x:+.1f}, {y:+.1f})".replace("-", "−")
    return f"Code {code}. A cloud around it with a spread of 1 would cost {price:.2f} nats."


@torch.no_grad()
def draw(decode: Decode, x: float, y: float, width: float = 5.6) -> Figure:
    """The image at this place, large, and those around it on a grid of 0.4; `width` of the figure in inches."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(width, width / 2), layout="constrained")
    plot_image(decode(torch.tensor([[x, y]]))[0], "The image at this place", ax=left, limits=(0, 1))
    around = atlas(decode, steps=5, reach=2 * STEP, middle=(x, y))
    plot_image(around, "Its neighbours, 0.4 apart", ax=right, limits=(0, 1))
    right.set(xlabel="first number →", ylabel="second number →")
    side = len(around) // 5
    right.add_patch(Rectangle((2 * side - 0.5, 2 * side - 0.5), side, side, fill=False, edgecolor=ORANGE, lw=2))
    return figure


def page(decode: Decode, x: float, y: float, width: float = 5.6) -> Page:
    """What the map shows at this place."""
    return Page(describe(x, y), draw(decode, x, y, width), "The image at this place, and those around it.")


def latent_map(decode: Decode) -> None:
    """Show two sliders for a code of two numbers; `decode` makes images (N, 1, H, W) of codes (N, 2)."""
    import ipywidgets as widgets

    from utils.widgets.still import follow, show

    options = dict(value=0.0, min=-REACH, max=REACH, step=0.1, continuous_update=False)
    across, up = (widgets.FloatSlider(description=name, **options) for name in ("first:", "second:"))
    said, canvas = widgets.HTML(), widgets.HTML()

    def redraw() -> None:
        said.value, canvas.value = page(decode, across.value, up.value).as_html()

    follow([across, up], redraw)
    explorer = widgets.VBox([across, up, said, canvas])
    explorer.add_class("latent-map")
    alt = "Two sliders for a code, the digit at that place, and 24 neighbours around it. Run the cell to move it."
    places = [step * 3 * STEP for step in range(-2, 3)]
    book = Book([slider("first", places, 0), slider("second", places, 0)], partial(page, decode, width=4.4))
    show(explorer, draw(decode, across.value, up.value), alt, book)
