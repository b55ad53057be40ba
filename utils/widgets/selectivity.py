"""Decay and selectivity: what is left in a state of the tokens that count, by how much time each token lets pass."""

import numpy as np
from matplotlib.figure import Figure

from utils.widgets.book import Book, Page, slider

TOKENS = "··B····A···C·······D····"
"""Four letters that count, among dots that do not."""


def weights(time: float, selectivity: float) -> np.ndarray:
    """The share that each token has of all that was written into the last state, (T,): they sum to 1.

    A token lets Δ = `time` pass, times e^s for a letter and e^{−s} for a dot: what was there is kept by e^{−Δ}, and the
    token is written with the rest, 1 − e^{−Δ}.
    """
    letter = np.array([token.isalpha() for token in TOKENS])
    delta = time * np.exp(np.where(letter, selectivity, -selectivity))
    later = delta[::-1].cumsum()[::-1] - delta  # the time that passes after each token
    left = (1 - np.exp(-delta)) * np.exp(-later)
    return left / left.sum()


def describe(time: float, selectivity: float) -> str:
    """What a status line says of these two."""
    shares = weights(time, selectivity)
    letters = {token: share for token, share in zip(TOKENS, shares, strict=True) if token.isalpha()}
    each = ", ".join(f"{token} {100 * share:.0f} %" for token, share in letters.items())
    return f"Of the last state {100 * sum(letters.values()):.0f} % come from letters ({each})."


def draw(time: float, selectivity: float, title: str = "Orange: the tokens that count") -> Figure:
    """A bar for each token: its share in the last state."""
    import matplotlib.pyplot as plt

    from utils.plotting.style import GREY, ORANGE

    figure, ax = plt.subplots(figsize=(6.4, 2.6), layout="constrained")
    places = range(len(TOKENS))
    ax.bar(places, 100 * weights(time, selectivity), color=[ORANGE if t.isalpha() else GREY for t in TOKENS])
    ax.set_xticks(places, list(TOKENS))
    ax.set(xlabel="token", ylabel="share of the last state (%)", ylim=(0, 100))
    ax.set_title(title)
    return figure


def page(time: float, selectivity: float) -> Page:
    """What the widget shows of these two."""
    picture = draw(time, selectivity, f"Orange: the tokens that count (Δ = {time:.2g}, s = {selectivity:g})")
    return Page(describe(time, selectivity), picture, "The share of each token in the last state.")


def selectivity() -> None:
    """Show two sliders, for the time that a token lets pass and for the selectivity; the picture follows them."""
    import ipywidgets as widgets

    from utils.widgets.still import follow, show

    style, layout = {"description_width": "150px"}, {"width": "430px"}
    options = dict(continuous_update=False, style=style, layout=layout)
    time = widgets.FloatLogSlider(value=0.1, min=-3, max=1, step=0.25, description="Δ of a token:", **options)
    chosen = widgets.FloatSlider(value=0, min=0, max=5, step=0.5, description="selectivity s:", **options)
    said, canvas = widgets.HTML(), widgets.HTML()

    def redraw() -> None:
        said.value, canvas.value = page(time.value, chosen.value).as_html()

    follow([time, chosen], redraw)
    explorer = widgets.VBox([time, chosen, said, canvas])
    explorer.add_class("selectivity")
    alt = f"Δ = {time.value:g}, s = 3: {describe(time.value, 3)} Run the cell to move both sliders."
    times = {f"{value:.2g}": value for value in np.logspace(-3, 1, 9).tolist()}
    book = Book([slider("Δ of a token", times, "0.1"), slider("selectivity s", range(6), 3)], page)
    show(explorer, draw(time.value, 3, f"Orange: the tokens that count (Δ = {time.value:g}, s = 3)"), alt, book)
