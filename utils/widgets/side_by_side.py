"""Lesson 11: the same prompt, continued by several models, side by side."""

import html
import textwrap
from collections.abc import Callable, Mapping

from matplotlib.figure import Figure

from utils.frontend import WRAPPED
from utils.widgets.book import Book, Page, menu, slider
from utils.widgets.prompt import controls, problem, readable

PROMPTS = ("First Citizen:\n", "My lord, ", "the king")  # in the book, beside the one that a lesson gives
TEMPERATURES = (0, 0.5, 0.8, 1.2)

Writer = Callable[[str, int, float, int], str]
"""Continues a prompt: (prompt, characters, temperature, seed) to the text that follows."""


def continue_all(
    writers: Mapping[str, Writer], prompt: str, count: int, temperature: float, seed: int = 0
) -> dict[str, str]:
    """What each writer makes of the prompt."""
    return {name: write(prompt, count, temperature, seed) for name, write in writers.items()}


def columns(prompt: str, texts: Mapping[str, str]) -> str:
    """The texts as HTML, side by side, the prompt in bold."""
    boxes = [
        f"<section aria-label='{html.escape(name)}' style='flex:1;min-width:18em'><strong>{html.escape(name)}</strong>"
        f"<pre style='{WRAPPED}'><b>{html.escape(prompt)}</b>{html.escape(text)}</pre></section>"
        for name, text in texts.items()
    ]
    return f"<div style='display:flex;gap:1.5em;flex-wrap:wrap'>{''.join(boxes)}</div>"


def draw(prompt: str, texts: Mapping[str, str]) -> Figure:
    """The texts as a picture."""
    import matplotlib.pyplot as plt

    wrapped = {name: _wrap(prompt + text) for name, text in texts.items()}
    lines = max(text.count("\n") + 1 for text in wrapped.values())
    figure, axes = plt.subplots(1, len(texts), figsize=(4.1 * len(texts), 0.5 + 0.165 * lines), squeeze=False)
    for ax, (name, text) in zip(axes.flat, wrapped.items(), strict=True):
        ax.set_title(name, fontsize=10)
        ax.text(0, 1, text, family="monospace", fontsize=8, va="top", transform=ax.transAxes, parse_math=False)
        ax.axis("off")
    return figure


def _wrap(text: str, width: int = 46) -> str:
    return "\n".join(part for line in text.splitlines() for part in textwrap.wrap(line, width) or [""])


def side_by_side(writers: Mapping[str, Writer], prompt: str, alphabet: str, count: int = 200) -> None:
    """Show the writers: a prompt, a temperature, a seed, and what each of them continues.

    Args:
        writers: for each name, a function that continues a prompt.
        prompt: the one to begin with.
        alphabet: all characters that the models know; others in a prompt are reported.
        count: how many characters to write.
    """
    import ipywidgets as widgets

    from utils.widgets.still import follow, show, status

    def page(prompt: str, warmth: float, seed: int) -> Page:
        texts = continue_all(writers, prompt, count, warmth, seed)
        return Page(f"{count} characters at temperature {warmth:.1f}", text=columns(prompt, texts))

    entry, temperature = controls(prompt, 0.8, lowest=0.0, highest=1.5)
    seed = widgets.BoundedIntText(value=0, min=0, max=999, description="seed:")
    button = widgets.Button(description="Continue", button_style="primary")
    output, said = widgets.HTML(), widgets.HTML()

    def write() -> None:
        if trouble := problem(entry.value, alphabet):
            said.value = status(trouble)
            return
        said.value, output.value = page(entry.value, temperature.value, seed.value).as_html()

    button.on_click(lambda _: write())
    follow((temperature, seed), write)
    box = widgets.VBox([widgets.HBox([entry, widgets.VBox([temperature, seed, button])]), said, output])
    box.add_class("side-by-side")
    texts = continue_all(writers, prompt, count, temperature.value)
    alt = f"The prompt {prompt!r}, continued by {' and by '.join(writers)}. Run the cell to try another one."
    prompts = readable(dict.fromkeys((prompt, *PROMPTS)), alphabet)
    book = Book(
        [
            menu("prompt", prompts),
            slider("temperature", TEMPERATURES, temperature.value),
            menu("seed", {"0": 0, "1": 1}),
        ],
        page,
    )
    show(box, draw(prompt, texts), alt, book)
