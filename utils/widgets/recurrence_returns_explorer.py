"""Lesson 12: move a weight, and watch the output follow."""

import torch
from matplotlib.figure import Figure

INPUTS = torch.tensor([[1.0, 2.0], [-1.0, 0.5]])


def draw(weight: float) -> Figure:
    """The inputs, and the inputs times `weight`, side by side."""
    import matplotlib.pyplot as plt

    from utils.plotting.images import plot_image

    figure, axes = plt.subplots(1, 2, figsize=(4.6, 2.4), layout="constrained")
    plot_image(INPUTS, "the inputs", ax=axes[0], numbers=True, signed=True)
    plot_image(weight * INPUTS, "times the weight", ax=axes[1], numbers=True, signed=True)
    return figure


def recurrence_returns_explorer() -> None:
    """Show a slider for the weight; the picture and the sum are drawn again at every change."""
    import ipywidgets as widgets

    from utils.widgets.still import follow, img, png, show, status

    slider = widgets.FloatSlider(value=1, min=-2, max=2, step=0.5, description="weight:", continuous_update=False)
    said, canvas = widgets.HTML(), widgets.HTML()

    def redraw() -> None:
        said.value = status(f"The output is {slider.value * INPUTS.sum():.3g}.")
        canvas.value = img(png(draw(slider.value)), "The inputs, and the inputs times the weight.")

    follow([slider], redraw)
    explorer = widgets.VBox([slider, said, canvas])
    explorer.add_class("recurrence-returns-explorer")
    alt = "A slider for a weight, and what it does to four inputs. Run the cell to move it."
    show(explorer, draw(slider.value), alt)
