"""Lesson 10: a word, a head, and a word that is hidden: where does the look go, and what becomes of the answer?"""

from collections.abc import Iterable, Mapping
from functools import partial

from matplotlib.figure import Figure

from utils.models.lookup import Lookup
from utils.tasks.lookup import ANIMALS, PLACES, Sentence, answers, as_tokens, hidden_from_others
from utils.widgets.book import Book, Page, menu

NOTHING = "nothing"
NOUNS = {*ANIMALS, *PLACES}


def _visible(one: Sentence, hidden: int | None):
    return None if hidden is None else hidden_from_others(len(one.words), [hidden])


def describe(model: Lookup, one: Sentence, layer: int, head: int, asks: int, hidden: int | None = None) -> str:
    """Where the word at `asks` looks, what the model takes `it` for, and what is hidden, in words."""
    tokens, _ = as_tokens([one])
    row = model.weights(tokens, _visible(one, hidden))[layer, 0, head, asks]
    most = int(row.argmax())
    shares = answers(model, one, _visible(one, hidden))
    taken = max(shares, key=lambda word: shares[word])
    looks = f"“{one.words[asks]}” (word {asks}) looks most at “{one.words[most]}” (word {most}, weight {row[most]:.2f})"
    without = "" if hidden is None else f" With “{one.words[hidden]}” (word {hidden}) hidden:"
    verdict = f"The model takes “it” for “{taken}”, {shares[taken]:.0%}."
    return f"Layer {layer + 1}, head {head + 1}:{without} {looks}. {verdict}"


def draw(model: Lookup, one: Sentence, layer: int, head: int, asks: int, hidden: int | None = None) -> Figure:
    """The weights of the word at `asks` as bars."""
    import matplotlib.pyplot as plt

    from utils.plotting.attention import plot_word

    tokens, _ = as_tokens([one])
    row = model.weights(tokens, _visible(one, hidden))[layer, 0, head, asks]
    figure, ax = plt.subplots(figsize=(7.2, 2.9), layout="constrained")
    words = [f"[{word}]" if place == hidden else word for place, word in enumerate(one.words)]
    plot_word(row.tolist(), words, asks, f"layer {layer + 1}, head {head + 1}: “it” is “{one.meant}”", ax=ax)
    return figure


def page(model: Lookup, one: Sentence, layer: int, head: int, asks: int, hidden: int) -> Page:
    """What the explorer shows of this sentence; a negative place hides nothing."""
    alt = "How much the word takes from each of the others, as bars."
    at = layer, head, asks, hidden if hidden >= 0 else None
    return Page(describe(model, one, *at), draw(model, one, *at), alt)


def looked_at(model: Lookup, sentences: Iterable[Sentence]) -> set[int]:
    """The places that `it` looks at most, in any of the sentences, layers and heads."""
    tokens, _ = as_tokens([*sentences])
    it = next(iter(sentences)).it
    return set(model.weights(tokens)[:, :, :, it].argmax(-1).flatten().tolist())


def it_explorer(model: Lookup, sentences: Mapping[str, Sentence]) -> None:
    """Show the explorer: choose a sentence, a layer, a head and a word, and hide a word from all others.

    Args:
        model: trained on `utils.tasks.lookup.coreference`.
        sentences: what to choose from, each under its name; all of one length.
    """
    import ipywidgets as widgets

    from utils.widgets.still import follow, selected, show

    first = next(iter(sentences.values()))
    places = [(f"{place} {word}", place) for place, word in enumerate(first.words)]
    layers, heads = len(model.looks), model.looks[0].heads
    sentence = widgets.ToggleButtons(options=list(sentences), description="because …:")
    layer = widgets.ToggleButtons(
        options=[(str(i + 1), i) for i in range(layers)], value=layers - 1, description="layer:"
    )
    head = widgets.ToggleButtons(options=[(str(i + 1), i) for i in range(heads)], description="head:")
    asks = widgets.Dropdown(options=places[:-1], value=first.it, description="looks:")
    hidden = widgets.Dropdown(
        options=[(NOTHING, -1), *places[:-1], (f"{len(places) - 1} the last word", len(places) - 1)],
        description="hide:",
    )
    caption, canvas = widgets.HTML(), widgets.HTML()

    def redraw() -> None:
        one = sentences[selected(sentence)]
        at = selected(layer), selected(head), selected(asks), selected(hidden)
        caption.value, canvas.value = page(model, one, *at).as_html()

    follow((sentence, layer, head, asks, hidden), redraw)
    explorer = widgets.VBox([sentence, layer, head, asks, hidden, caption, canvas])
    explorer.add_class("it-explorer")
    said = describe(model, first, layers - 1, 0, first.it)
    still = draw(model, first, layers - 1, 0, first.it)
    seen = looked_at(model, sentences.values())
    nouns = {place for place, word in enumerate(first.words) if word in NOUNS}
    looks = {name: place for name, place in asks.options if place in seen - nouns | {first.it}}
    hides = {name: place for name, place in hidden.options if place in seen | nouns | {-1, len(places) - 1}}
    book = Book(
        [
            menu("because …", sentences),
            menu("layer", {str(i + 1): i for i in range(layers)}, layers),
            menu("head", {str(i + 1): i for i in range(heads)}, 1),
            menu("looks", looks, f"{first.it} it"),
            menu("hide", hides),
        ],
        partial(page, model),
    )
    show(explorer, still, f"An explorer of words and heads. {said} Run the cell to choose, and to hide words.", book)
