"""Lesson 08: type a prompt, set the temperature, read what the model makes of it."""

import html

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from utils.models import generate
from utils.text import decode, encode

COUNT = 240  # characters that the sampler writes


def problem(prompt: str, alphabet: str) -> str:
    """What keeps the model from reading this prompt, in a sentence; empty where nothing does."""
    if not prompt:
        return "Type at least one character."
    unknown = sorted(set(prompt) - set(alphabet))
    if unknown:
        return f"The model has never seen {', '.join(map(repr, unknown))}. Type something else."
    return ""


def chances(model: nn.Module, alphabet: str, prompt: str, temperature: float) -> Tensor:
    """The probability of each next character after the prompt, (V,)."""
    with torch.no_grad():
        scores, _ = model(encode(prompt, alphabet)[None])
    return (scores[0, -1] / temperature).softmax(0)


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
    chosen = {f"temperature {temperature:g}": chances(model, alphabet, prompt, temperature)}
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

    from utils.widgets.still import img, png, show

    prompt_box = widgets.Textarea(value=prompt, description="prompt:", rows=2, continuous_update=False)
    slider = widgets.FloatSlider(
        value=temperature, min=0.1, max=2.0, step=0.1, description="temperature:", continuous_update=False
    )
    slider.style.description_width = "initial"
    again = widgets.Button(description="Draw again")
    said, canvas = widgets.HTML(), widgets.HTML()
    seed = 0

    def redraw(_=None) -> None:
        trouble = problem(prompt_box.value, alphabet)
        if trouble:
            said.value, canvas.value = f"<p role='status'><b>{html.escape(trouble)}</b></p>", ""
            return
        text = continuation(model, alphabet, prompt_box.value, slider.value, seed)
        said.value = (
            f"<pre role='status' style='white-space:pre-wrap;line-height:1.2'>"
            f"<b>{html.escape(prompt_box.value)}</b>{html.escape(text)}</pre>"
        )
        picture = draw(model, alphabet, prompt_box.value, slider.value)
        canvas.value = img(png(picture), "The probabilities of the next character after the prompt.")

    def draw_again(_) -> None:
        nonlocal seed
        seed += 1
        redraw()

    prompt_box.observe(redraw, "value")
    slider.observe(redraw, "value")
    again.on_click(draw_again)
    redraw()
    sampler = widgets.VBox([widgets.HBox([prompt_box, widgets.VBox([slider, again])]), said, canvas])
    sampler.add_class("char-sampler")
    text = continuation(model, alphabet, prompt, temperature, seed)
    alt = f"The sampler at temperature {temperature:g}: {prompt + text[:80]!r} … Run the cell to try a prompt of yours."
    show(sampler, draw(model, alphabet, prompt, temperature, text), alt)
