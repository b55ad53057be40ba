"""Move along a sentence: the state as it stands, the influence of each word on it, and what a swapped word changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from utils.models.recurrent import ElmanNetwork
from utils.reach import influence
from utils.widgets.book import Book, Page, menu, slider


@dataclass(frozen=True)
class Reading:
    """What one network makes of a sentence of T words, H numbers of state."""

    states: Tensor  # (T, H)
    influences: Tensor  # (T, T): of word j (column) on the state after word i (row)
    moved: Tensor  # (T,): how far the state lies from where it would be, had one word been another


def read(network: ElmanNetwork, tokens: Tensor, place: int, other: int) -> Reading:
    """Read a sentence (T,), and once more with the word at `place` replaced by the token `other`."""
    swapped = tokens.clone()
    swapped[place] = other
    with torch.no_grad():
        states, states_swapped = network.states(torch.stack([tokens, swapped]))
        vectors = network.embedding(tokens)  # (T, E)
    return Reading(states, influence(network.rnn, vectors), (states_swapped - states).norm(dim=1))


def draw(reading: Reading, words: Sequence[str], step: int, title: str = "") -> Figure:
    """The states up to `step`, and below them the share of influence that each word has on the last of these."""
    import matplotlib.pyplot as plt

    from utils.plotting.states import plot_states
    from utils.plotting.style import BLUE

    figure, (above, below) = plt.subplots(2, 1, figsize=(6.5, 4.2), height_ratios=(1.5, 1), layout="constrained")
    plot_states(reading.states[: step + 1], words, title, ax=above)
    row = reading.influences[step]
    bars = below.bar(range(len(words)), 100 * row / row.sum(), color=BLUE)
    below.bar_label(bars, [f"{100 * share:.3g}" if share > 0 else "" for share in row / row.sum()], fontsize=8)
    below.set_xticks(range(len(words)), words, rotation=30, ha="right", rotation_mode="anchor")
    below.set(ylabel=f"influence on the\nstate at “{words[step]}” (%)", xlim=above.get_xlim())
    below.margins(y=0.15)
    return figure


def sentence(reading: Reading, words: Sequence[str], step: int, place: int, other: str) -> str:
    """What is to be seen at this step, in words."""
    row = reading.influences[step] / reading.influences[step].sum()
    if step < place:
        return f"After “{words[step]}”: “{words[place]}” has not been read."
    unit = int(reading.states[place].abs().argmax())
    lit = f"The unit that was brightest at “{words[place]}” stands at {reading.states[step, unit]:+.2f}."
    moved = f"With “{other}” instead, the state would lie {reading.moved[step]:.2f} away."
    return f"After “{words[step]}”: {row[place]:.1%} of the influence is that of “{words[place]}”. {lit} {moved}"


def state_explorer(
    networks: Mapping[str, ElmanNetwork], vocabulary: Sequence[str], text: str, word: str, other: str, at: str
) -> None:
    """Show a slider over the words of `text`, for each network; `word` is the one that is swapped for `other`.

    The still picture is that of the last network, after the word `at`.
    """
    import ipywidgets as widgets

    from utils.widgets.still import follow, selected, show

    words = text.split()
    place = words.index(word)
    tokens = torch.tensor([list(vocabulary).index(one) for one in words])
    swapped = list(vocabulary).index(other)
    readings = {name: read(network, tokens, place, swapped) for name, network in networks.items()}

    choice = widgets.ToggleButtons(options=list(readings), description="network:")
    stops = [(one, index) for index, one in enumerate(words)]
    along = widgets.SelectionSlider(options=stops, value=0, description="word:", continuous_update=False)
    said, canvas = widgets.HTML(), widgets.HTML()

    def page(name: str, step: int) -> Page:
        picture = draw(readings[name], words, step, f"{name}: the state after “{words[step]}”")
        said = sentence(readings[name], words, step, place, other)
        return Page(said, picture, f"States and influences up to “{words[step]}”.")

    def redraw() -> None:
        said.value, canvas.value = page(selected(choice), selected(along)).as_html()

    follow([choice, along], redraw)
    explorer = widgets.VBox([choice, along, said, canvas])
    explorer.add_class("state-explorer")
    (name, reading), stop = list(readings.items())[-1], words.index(at)
    alt = (
        f"“{text}” up to “{at}”, {name}: states as a grid of units and words, the influence of each word as bars. "
        f"{sentence(reading, words, stop, place, other)} Run the cell to move along the sentence."
    )
    numbered = {f"{index + 1} {one}": index for index, one in enumerate(words)}
    book = Book([menu("network", list(readings), name), slider("word", numbered, f"{stop + 1} {at}")], page)
    show(explorer, draw(reading, words, stop, f"{name}: the state after “{at}”"), alt, book)
