"""Lesson 08: type a prompt, set the temperature, read what the model makes of it."""

import html
from dataclasses import replace
from functools import partial

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from utils.frontend import WRAPPED
from utils.models import generate
from utils.text import decode, encode
from utils.widgets.book import Book, Page, menu, slider
from utils.widgets.prompt import controls, problem, readable

COUNT = 240  # characters that the sampler writes
PROMPTS = ("JULIET:\n", "To be, or not", "The qu")  # in the book, beside the one that a lesson gives


def probabilities(model: nn.Module, alphabet: str, prompt: str, temperature: float) -> Tensor:
    """The probability of each next character after the prompt, (V,)."""
    with torch.no_grad():
        logits, _ = model(encode(prompt, alphabet)[None])
    return (logits[0, -1] / temperature).softmax(0)


def continuation(model: nn.Module, alphabet: str, prompt: str, temperature: float, seed: int) -> str:
    """What the model writes after the prompt; the same seed gives the same text."""
    generator = torch.Generator().manual_seed(seed)
    return decode(generate(model, encode(prompt, alphabet), COUNT, temperature, generator), alphabet)


def draw(model: nn.Module, alphabet: str, prompt: str, temperature: float, text: str = "") -> Figure:
    """The next character's probabilities as bars; with a text, the prompt and that text beside them."""
    import matplotlib.pyplot as plt

    from utils.plotting.text import plot_probabilities

    width = 8.0 if text else 5.5
    figure, axes = plt.subplots(1, 2 if text else 1, figsize=(width, 2.6), layout="constrained", squeeze=False)
    title = "What comes after the prompt?"
    chosen = {f"temperature {temperature:g}": probabilities(model, alphabet, prompt, temperature)}
    plot_probabilities(chosen, alphabet, title=title, ax=axes[0, 0])
    if text:
        lines = [
            line[start : start + 44] for line in f"{prompt}{text}".split("\n") for start in range(0, len(line) or 1, 44)
        ]
        axes[0, 1].text(0, 1, "\n".join(lines[:13]), family="monospace", fontsize=8, va="top", parse_math=False)
        axes[0, 1].set_axis_off()
        axes[0, 1].set_title("and what it writes")
    return figure


def written(prompt: str, text: str) -> str:
    """The prompt, bold, and what follows it, as HTML."""
    return f"<pre style='{WRAPPED};line-height:1.2'><b>{html.escape(prompt)}</b>{html.escape(text)}</pre>"


def page(model: nn.Module, alphabet: str, prompt: str, temperature: float, seed: int) -> Page:
    """What the sampler shows of a prompt that can be read."""
    text = continuation(model, alphabet, prompt, temperature, seed)
    return Page(
        f"{COUNT} characters at temperature {temperature:g}:",
        draw(model, alphabet, prompt, temperature),
        "The probabilities of the next character after the prompt.",
        written(prompt, text),
    )


def char_sampler(model: nn.Module, alphabet: str, prompt: str = "ROMEO:\n", temperature: float = 0.8) -> None:
    """Show the sampler: a prompt, a slider for the temperature, a button for another draw, the text below.

    Args:
        model: a `CharLSTM` over this alphabet, on the CPU.
        alphabet: its characters, in the order of its tokens.
        prompt: what it starts with; every character must be in the alphabet.
        temperature: what it starts with, from 0.1 to 2.
    """
    import ipywidgets as widgets

    from utils.widgets.still import follow, show

    prompt_box, warmth = controls(prompt, temperature, lowest=0.1, highest=2.0)
    again = widgets.Button(description="Draw again")
    said, canvas = widgets.HTML(), widgets.HTML()
    seed = 0

    def redraw() -> None:
        trouble = problem(prompt_box.value, alphabet)
        if trouble:
            said.value, canvas.value = f"<p role='status'><b>{html.escape(trouble)}</b></p>", ""
            return
        shown = page(model, alphabet, prompt_box.value, warmth.value, seed)
        said.value = f"<div role='status'>{shown.text}</div>"
        _, canvas.value = replace(shown, text="").as_html()

    def draw_again(_) -> None:
        nonlocal seed
        seed += 1
        redraw()

    again.on_click(draw_again)
    follow((prompt_box, warmth), redraw)
    sampler = widgets.VBox([widgets.HBox([prompt_box, widgets.VBox([warmth, again])]), said, canvas])
    sampler.add_class("char-sampler")
    text = continuation(model, alphabet, prompt, temperature, seed)
    alt = f"The sampler at temperature {temperature:g}: {prompt + text[:80]!r} … Run the cell to try a prompt of yours."
    prompts = readable(dict.fromkeys((prompt, *PROMPTS)), alphabet)
    temperatures = sorted({0.2, 0.5, 0.8, 1.0, 1.5, temperature})
    stops = [slider("temperature", temperatures, temperature), menu("draw", {"first": 0, "second": 1, "third": 2})]
    book = Book([menu("prompt", prompts), *stops], partial(page, model, alphabet))
    show(sampler, draw(model, alphabet, prompt, temperature, text), alt, book)
