"""The decoder step by step: what it looks at, what it takes for likely, what it has written so far."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from torch import Tensor

from utils.tasks.translation import CHARACTERS, END, text_of
from utils.widgets.book import Book, Page, menu, slider


@dataclass(frozen=True)
class Steps:
    """What a decoder did with one source."""

    source: str
    tokens: Tensor  # (T,), what it wrote
    weights: Tensor  # (T, S), how much of each character's state it read at each step
    chances: Tensor  # (T, V), how likely each symbol was to it


def name(token: int) -> str:
    """A token as it can be read in a sentence."""
    return "END" if token == END else f"“{CHARACTERS[token - 3]}”" if token > END else "nothing"


def describe(one: Steps, step: int) -> str:
    """What happens at a step, from 0 on, in words: the two largest weights, and the likeliest symbol."""
    shares, places = one.weights[step, : len(one.source)].topk(2)
    seen = " and ".join(
        f"“{one.source[place].replace(' ', '␣')}” at place {place + 1} ({share:.0%})"
        for share, place in zip(shares.tolist(), places.tolist(), strict=True)
    )
    chosen = int(one.tokens[step])
    written = text_of(one.tokens[:step])
    before = f"“{written}” is written" if written else "Nothing is written yet"
    return (
        f"Step {step + 1}: {before}. It looks at {seen}, and writes {name(chosen)} ({one.chances[step, chosen]:.0%})."
    )


def draw(one: Steps, step: int) -> Figure:
    """The alignment up to this step (left), the weights of this step over the source, and the likeliest symbols."""
    import matplotlib.pyplot as plt

    from utils.plotting.style import BLUE, ORANGE, VISIBLE

    figure, (upper, lower) = plt.subplots(2, 1, figsize=(7.4, 4.0), layout="constrained", height_ratios=[1.4, 1])
    length, steps = len(one.source), len(one.tokens)
    shown = one.weights[:, :length].clone()
    shown[step + 1 :] = 0
    upper.imshow(shown.numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    upper.axhspan(step - 0.5, step + 0.5, fill=False, ec=ORANGE, lw=2)
    upper.set_xticks(range(length), list(one.source.translate(VISIBLE)))
    written = [name(int(token)).strip("“”") for token in one.tokens[: step + 1]]
    upper.set_yticks(range(steps), written + [""] * (steps - step - 1), fontsize=8)
    upper.set(xlabel="read", ylabel="written so far")
    upper.set_title("Blue: how much of each state is read", fontsize=10)
    likely = one.chances[step].topk(5)
    labels = [name(token).strip("“”") for token in likely.indices.tolist()]
    bars = lower.bar(range(5), (100 * likely.values).tolist(), color=BLUE)
    lower.bar_label(bars, [f"{100 * value:.0f}" for value in likely.values.tolist()], fontsize=9)
    lower.set_xticks(range(5), labels)
    lower.set(ylim=(0, 118), ylabel="probability (%)", xlabel="the five likeliest symbols of this step")
    return figure


def page(one: Steps, step: int) -> Page:
    """What the stepper shows at a step, from 1 on."""
    alt = "How much of each character is read at each step so far, and the likeliest symbols of this one."
    return Page(describe(one, step - 1), draw(one, step - 1), alt)


def decoder_stepper(examples: Sequence[Steps]) -> None:
    """Show the stepper: choose a source, and go through the steps."""
    import ipywidgets as widgets

    from utils.widgets.still import follow, selected, show

    source = widgets.Dropdown(
        options=[(one.source, number) for number, one in enumerate(examples)], description="source:"
    )
    steps = min(len(one.tokens) for one in examples)
    along = widgets.IntSlider(value=1, min=1, max=steps, description="step:", continuous_update=False)
    said, canvas = widgets.HTML(), widgets.HTML()

    def redraw() -> None:
        said.value, canvas.value = page(examples[selected(source)], along.value).as_html()

    follow([source, along], redraw)
    stepper = widgets.VBox([source, along, said, canvas])
    stepper.add_class("decoder-stepper")
    middle = len(examples[0].tokens) // 2
    alt = f"A decoder at work. {describe(examples[0], middle)} Run the cell to choose another source and step."
    sources = {one.source: one for one in examples}
    book = Book([menu("source", sources), slider("step", range(1, steps + 1), middle + 1)], page)
    show(stepper, draw(examples[0], middle), alt, book)
