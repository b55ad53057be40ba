"""Lesson 11: who looks at whom, by layer, head and character."""

from functools import partial

from matplotlib.figure import Figure
from torch import Tensor

from utils.widgets.book import Book, Page, menu, slider

STRIDE = 7  # from one position of the book to the next


def name(character: str) -> str:
    """A character as it can be read in a sentence."""
    return {" ": "a space", "\n": "a line end"}.get(character, f"“{character}”")


def describe(weights: Tensor, characters: str, position: int, most: int = 3) -> str:
    """What a position looks at, in words: its largest weights, without those under a twentieth of the first.

    `weights` are those of one head (T, T).
    """
    row = weights[position, : position + 1]
    shares, places = row.topk(min(most, len(row)))
    seen = [
        f"{name(characters[place])} {'itself' if place == position else f'{position - place} back'} ({share:.0%})"
        for share, place in zip(shares.tolist(), places.tolist(), strict=True)
        if share >= shares[0] / 20
    ]
    return f"Position {position}, {name(characters[position])}, looks at {', '.join(seen)}."


def draw(weights: Tensor, characters: str, layer: int, head: int, position: int) -> Figure:
    """The head's map (T, T) with the position's row framed, and that row as bars. Layers and heads count from 0."""
    import matplotlib.pyplot as plt

    from utils.plotting.maps import plot_attention
    from utils.plotting.style import COLORS, VISIBLE

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 4.1), layout="constrained", width_ratios=[1, 1])
    plot_attention(weights, characters, f"layer {layer + 1}, head {head + 1}", row=position, ax=left)
    bars = right.bar(range(len(characters)), weights[position].tolist(), color=COLORS[0])
    bars[position].set_color(COLORS[5])
    right.set_xticks(range(len(characters)), list(characters.translate(VISIBLE)), fontsize=7)
    right.set(ylim=(0, 1), xlabel="looked at (orange: itself)", ylabel="weight")
    right.set_title(f"what position {position}, {name(characters[position])}, looks at", fontsize=10)
    return figure


def page(weights: Tensor, characters: str, layer: int, head: int, position: int) -> Page:
    """What the viewer shows of one head (T, T) of weights (layers, H, T, T)."""
    chosen = weights[layer, head]
    alt = "The map of the head with a row in a frame, and this row as bars."
    return Page(describe(chosen, characters, position), draw(chosen, characters, layer, head, position), alt)


def attention_viewer(weights: Tensor, characters: str, position: int | None = None) -> None:
    """Show the viewer: choose a layer, a head and a character.

    Args:
        weights: (layers, H, T, T), row i what position i takes from each j ≤ i, as `Transformer.attention` gives it.
        characters: the text, T characters.
        position: where to start; the last character unless told.
    """
    import ipywidgets as widgets

    from utils.widgets.still import follow, selected, show

    layers, heads, length, _ = weights.shape
    start = length - 1 if position is None else position
    layer = widgets.ToggleButtons(options=[(str(i + 1), i) for i in range(layers)], description="layer:")
    head = widgets.ToggleButtons(options=[(str(i + 1), i) for i in range(heads)], description="head:")
    along = widgets.IntSlider(value=start, min=0, max=length - 1, description="position:", continuous_update=False)
    for buttons in (layer, head):
        buttons.style.button_width = "3em"
    caption, canvas = widgets.HTML(), widgets.HTML()

    def redraw() -> None:
        at = selected(layer), selected(head), along.value
        caption.value, canvas.value = page(weights, characters, *at).as_html()

    follow((layer, head, along), redraw)
    viewer = widgets.VBox([layer, head, along, caption, canvas])
    viewer.add_class("attention-viewer")
    said = describe(weights[0, 0], characters, start)
    alt = f"An attention viewer at layer 1, head 1. {said} Run the cell to look at all {layers * heads} heads."
    places = {f"{place} {name(characters[place])}": place for place in range(start % STRIDE, length, STRIDE)}
    numbers = [{str(i + 1): i for i in range(count)} for count in (layers, heads)]
    controls = [menu("layer", numbers[0]), menu("head", numbers[1])]
    controls.append(slider("position", places, f"{start} {name(characters[start])}"))
    show(viewer, draw(weights[0, 0], characters, 0, 0, start), alt, Book(controls, partial(page, weights, characters)))
