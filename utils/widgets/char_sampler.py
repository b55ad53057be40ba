"""Lesson 08: type a prompt, set the temperature, read what the model makes of it."""

import html

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from utils.frontend import WRAPPED
from utils.models import generate
from utils.text import decode, encode
from utils.widgets.prompt import controls, problem

COUNT = 240  # characters that the sampler writes


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


def char_sampler(model: nn.Module, alphabet: str, prompt: str = "ROMEO:\n", temperature: float = 0.8) -> None:
    """Show the sampler: a prompt, a slider for the temperature, a button for another draw, the text below.

    Args:
        model: a `CharLSTM` over this alphabet, on the CPU.
        alphabet: its characters, in the order of its tokens.
        prompt: what it starts with; every character must be in the alphabet.
        temperature: what it starts with, from 0.1 to 2.
    """
    import ipywidgets as widgets

    from utils.widgets.still import follow, img, png, show

    prompt_box, slider = controls(prompt, temperature, lowest=0.1, highest=2.0)
    again = widgets.Button(description="Draw again")
    said, canvas = widgets.HTML(), widgets.HTML()
    seed = 0

    def redraw() -> None:
        trouble = problem(prompt_box.value, alphabet)
        if trouble:
            said.value, canvas.value = f"<p role='status'><b>{html.escape(trouble)}</b></p>", ""
            return
        text = continuation(model, alphabet, prompt_box.value, slider.value, seed)
        said.value = (
            f"<pre role='status' style='{WRAPPED};line-height:1.2'>"
            f"<b>{html.escape(prompt_box.value)}</b>{html.escape(text)}</pre>"
        )
        picture = draw(model, alphabet, prompt_box.value, slider.value)
        canvas.value = img(png(picture), "The probabilities of the next character after the prompt.")

    def draw_again(_) -> None:
        nonlocal seed
        seed += 1
        redraw()

    again.on_click(draw_again)
    follow((prompt_box, slider), redraw)
    sampler = widgets.VBox([widgets.HBox([prompt_box, widgets.VBox([slider, again])]), said, canvas])
    sampler.add_class("char-sampler")
    text = continuation(model, alphabet, prompt, temperature, seed)
    alt = f"The sampler at temperature {temperature:g}: {prompt + text[:80]!r} … Run the cell to try a prompt of yours."
    show(sampler, draw(model, alphabet, prompt, temperature, text), alt)
