"""What the widgets share that continue a text: a prompt, a temperature, and what cannot be read."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipywidgets import FloatSlider, Textarea


def problem(prompt: str, alphabet: str) -> str:
    """What keeps a model from reading this prompt, in a sentence; empty where nothing does."""
    if not prompt:
        return "Type at least one character."
    unknown = sorted(set(prompt) - set(alphabet))
    if unknown:
        return f"The training text has no {', '.join(map(repr, unknown))}. Type something else."
    return ""


def readable(prompts: Iterable[str], alphabet: str) -> dict[str, str]:
    """Those of the prompts that a model can read, each under what a menu shows for it."""
    return {prompt.replace("\n", "↵"): prompt for prompt in prompts if not problem(prompt, alphabet)}


def controls(prompt: str, temperature: float, lowest: float, highest: float) -> "tuple[Textarea, FloatSlider]":
    """A box for the prompt and a slider for the temperature."""
    import ipywidgets as widgets

    box = widgets.Textarea(value=prompt, description="prompt:", rows=2, continuous_update=False)
    slider = widgets.FloatSlider(
        value=temperature, min=lowest, max=highest, step=0.1, description="temperature:", continuous_update=False
    )
    slider.style.description_width = "initial"
    return box, slider
