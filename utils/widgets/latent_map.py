"""Walk through the codes of an autoencoder: two sliders, the digit at that place, and its neighbours."""

import torch
from matplotlib.figure import Figure

from utils.plotting.latents import Decode, atlas, plot_atlas

REACH = 2.4  # as far as the sliders go


def describe(x: float, y: float) -> str:
    """What a status line says of this place."""
    far = 0.5 * (x * x + y * y)
    return f"Code ({x:+.1f}, {y:+.1f}): {far:.2f} nats from the middle, at a spread of 1."


@torch.no_grad()
def draw(decode: Decode, picture: torch.Tensor, x: float, y: float) -> Figure:
    """The map of all codes with the place marked, and the image that stands there, large."""
    import matplotlib.pyplot as plt

    from utils.plotting.images import plot_image
    from utils.plotting.style import ORANGE

    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.9), layout="constrained", width_ratios=(1.25, 1))
    plot_atlas(picture, "The map", REACH, ax=left)
    left.plot(x, y, "s", mfc="none", mec=ORANGE, mew=2.5, ms=16)
    plot_image(decode(torch.tensor([[x, y]]))[0], "The image at the orange frame", ax=right, limits=(0, 1))
    return figure


def latent_map(decode: Decode) -> None:
    """Show two sliders for a code of two numbers; `decode` makes images (N, 1, H, W) of codes (N, 2)."""
    import ipywidgets as widgets

    from utils.widgets.still import follow, img, png, show, status

    options = dict(value=0.0, min=-REACH, max=REACH, step=0.1, continuous_update=False)
    across, up = (widgets.FloatSlider(description=name, **options) for name in ("first:", "second:"))
    said, canvas, picture = widgets.HTML(), widgets.HTML(), atlas(decode, reach=REACH)

    def redraw() -> None:
        said.value = status(describe(across.value, up.value))
        canvas.value = img(
            png(draw(decode, picture, across.value, up.value)), "A map of images, a frame in it, and the image there."
        )

    follow([across, up], redraw)
    explorer = widgets.VBox([across, up, said, canvas])
    explorer.add_class("latent-map")
    alt = "A map of digits by their codes, a frame in the middle, and the digit there. Run the cell to move it."
    show(explorer, draw(decode, picture, across.value, up.value), alt)
