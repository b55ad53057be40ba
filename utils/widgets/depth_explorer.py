"""Choose depth, skips, normalisation and the first weights, and watch a gradient on its way down."""

from functools import lru_cache

import torch
from matplotlib.figure import Figure

from utils.plotting.depth import plot_profile
from utils.widgets.book import Book, Page, menu, slider

DEPTHS = (2, 6, 10, 20, 30, 50, 70, 100)
SCALES = {"no skips": None, "skips": 1.0, "skips, times 0.9": 0.9, "skips, times 0.5": 0.5}
INITIAL = {"PyTorch's": "torch", "He's": "he"}


@lru_cache(maxsize=256)
def norms(layers: int, skips: str, norm: bool, weights: str) -> list[float]:
    """The gradient's norm at each height, bottom first, 1 at the top; the images are noise, the labels random."""
    from utils.gradients import gradient_norms
    from utils.models.deep import DeepCNN

    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        images, labels = torch.rand(16, 1, 28, 28), torch.randint(10, (16,))
        scale = SCALES[skips]
        model = DeepCNN(layers, skips=scale is not None, norm=norm, scale=scale or 1.0, initial=INITIAL[weights])
        return gradient_norms(model, images, labels)


def sentence(left: float, layers: int) -> str:
    """What became of the gradient, in words."""
    verdicts = {1e-6: "it has all but vanished", 0.01: "it has become small", 100: "it got through"}
    verdict = next((said for limit, said in verdicts.items() if left < limit), "it has exploded")
    return f"Of a gradient of norm 1 above {layers} layers, {left:.2g} arrives below: {verdict}."


def draw(layers: int, skips: str, norm: bool, weights: str) -> Figure:
    """The way of the gradient through one network."""
    title = f"{layers} layers, {skips}, {'with' if norm else 'without'} normalisation, {weights} weights"
    figure = plot_profile(norms(layers, skips, norm, weights), title).figure
    assert isinstance(figure, Figure)
    return figure


def page(layers: int, skips: str, norm: bool, weights: str) -> Page:
    """What the explorer shows of one network."""
    said = sentence(norms(layers, skips, norm, weights)[0], layers)
    return Page(said, draw(layers, skips, norm, weights), "The gradient's norm at each height of the network.")


def depth_explorer() -> None:
    """Show the explorer: a slider for the depth, three menus, and the gradient's norm at each height."""
    import ipywidgets as widgets

    from utils.widgets.still import follow, selected, show

    layers = widgets.SelectionSlider(options=DEPTHS, value=50, description="layers:", continuous_update=False)
    skips = widgets.Dropdown(options=list(SCALES), description="skips:")
    norm = widgets.Checkbox(value=False, description="batch normalisation")
    weights = widgets.Dropdown(options=list(INITIAL), description="weights:")
    said, canvas = widgets.HTML(), widgets.HTML()

    def setting() -> tuple[int, str, bool, str]:
        return selected(layers), selected(skips), norm.value, selected(weights)

    def redraw() -> None:
        said.value, canvas.value = page(*setting()).as_html()

    follow([layers, skips, norm, weights], redraw)
    explorer = widgets.VBox([widgets.HBox([layers, skips]), widgets.HBox([weights, norm]), said, canvas])
    explorer.add_class("depth-explorer")
    alt = (
        "An explorer of depth: layers, skips, normalisation and first weights, and the gradient's norm at each height."
    )
    book = Book(
        [
            slider("layers", (10, 50, 100), 50),
            menu("skips", list(SCALES)),
            menu("batch normalisation", {"without": False, "with": True}),
            menu("weights", list(INITIAL)),
        ],
        page,
    )
    show(explorer, draw(*setting()), f"{alt} Run the cell to play with it.", book)
