"""Paint a 3×3 kernel and watch what it does to an image."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from utils.widgets.book import Book, Page, menu

PRESETS = {
    "vertical edges": [1, 0, -1, 1, 0, -1, 1, 0, -1],
    "horizontal edges": [1, 1, 1, 0, 0, 0, -1, -1, -1],
    "blur": [0.11] * 9,
    "sharpen": [0, -1, 0, -1, 5, -1, 0, -1, 0],
    "corner": [1, 1, 0, 1, -1, -1, 0, -1, -1],
    "nothing": [0] * 9,
}
# What the lesson asks for, and who paints would find. The book has no weights to set.
TO_BE_FOUND = {
    "1 in the middle": [0, 0, 0, 0, 1, 0, 0, 0, 0],
    "1 on the left": [0, 0, 0, 1, 0, 0, 0, 0, 0],
    "8 in the middle, −1 around": [-1, -1, -1, -1, 8, -1, -1, -1, -1],
}


def shapes() -> Tensor:
    """A 24×24 image (1, H, W) with edges in all directions: a frame, a bar, a disc."""
    rows, columns = torch.meshgrid(torch.arange(24), torch.arange(24), indexing="ij")
    frame = (rows.sub(7).abs().maximum(columns.sub(7).abs()) == 5).float()
    disc = ((rows - 16) ** 2 + (columns - 15) ** 2 < 30).float()
    bar = ((rows - columns).abs() < 2).float() * (rows < 12)
    return (frame + 0.7 * disc + 0.5 * bar).clamp(max=1)[None]


def tower() -> Tensor:
    """The tower of the course's photograph in grey, 96×96: (1, H, W)."""
    from utils.data import photograph

    return F.avg_pool2d(photograph().mean(0, keepdim=True), 4)[:, 5:101, 12:108]


IMAGES = {"shapes": shapes, "photograph": tower}


def draw(kernel: Tensor, image: Tensor) -> Figure:
    """The image (1, H, W), the kernel (3, 3) and the map that it makes, side by side, with the map's scale."""
    import matplotlib.pyplot as plt

    from utils.plotting.images import plot_image

    figure, axes = plt.subplots(1, 3, figsize=(7.6, 2.7), layout="constrained")
    plot_image(image, "the image", ax=axes[0])
    plot_image(kernel, "your kernel", ax=axes[1], numbers=True, signed=True)
    answer = F.conv2d(image[None], kernel[None, None], padding=1)
    plot_image(answer, "where the image looks like it", ax=axes[2], signed=True)
    figure.colorbar(axes[2].images[0], ax=axes[2], shrink=0.85, label="output")
    return figure


def page(image: str, weights: Sequence[float]) -> Page:
    """What the painter shows of one of IMAGES and of nine weights."""
    kernel = torch.tensor(weights, dtype=torch.float32).reshape(3, 3)
    alt = "The image, the kernel and the map that the kernel makes."
    return Page(f"sum of the weights: {kernel.sum():.3g}", draw(kernel, IMAGES[image]()), alt)


def kernel_painter() -> None:
    """Show the painter: menus of images and kernels, nine weights to set, and the map, redrawn at every change."""
    import ipywidgets as widgets

    from utils.widgets.still import selected, show

    image = widgets.Dropdown(options=list(IMAGES), description="image:")
    preset = widgets.Dropdown(options=list(PRESETS), description="kernel:")
    size = {"layout": widgets.Layout(width="7.5em"), "style": {"description_width": "2.5em"}}
    names = [f"W{'₁₂₃'[row]}{'₁₂₃'[column]}" for row in range(3) for column in range(3)]
    weights = [widgets.FloatText(step=0.5, description=name, **size) for name in names]
    total = widgets.HTML()
    canvas = widgets.HTML()

    def redraw(_=None) -> None:
        total.value, canvas.value = page(selected(image), [weight.value for weight in weights]).as_html()

    def choose(_=None) -> None:
        for weight, value in zip(weights, PRESETS[selected(preset)], strict=True):
            weight.unobserve(redraw, "value")  # draw once for the nine of them
            weight.value = value
            weight.observe(redraw, "value")
        redraw()

    image.observe(redraw, "value")
    preset.observe(choose, "value")
    choose()
    rows = [widgets.HBox(weights[row : row + 3]) for row in (0, 3, 6)]
    controls = widgets.VBox([image, preset, *rows, total], layout=widgets.Layout(flex="0 0 auto"))
    painter = widgets.HBox([controls, canvas], layout=widgets.Layout(flex_flow="row wrap"))
    painter.add_class("kernel-painter")
    alt = "A kernel painter: nine weights, and the map that they make of an image. Run the cell to play with it."
    still = draw(torch.tensor([weight.value for weight in weights]).reshape(3, 3), shapes())
    painted = {name: kernel for name, kernel in PRESETS.items() if any(kernel)} | TO_BE_FOUND
    show(painter, still, alt, Book([menu("image", list(IMAGES)), menu("kernel", painted)], page))
