"""A picture book: what a widget shows at a few settings, as plain HTML that answers to its controls without a kernel.

Its pages are made when the course is built (`make build` sets REACH_BOOKS=on) and at no other time. Where no script runs,
as on GitHub, the first page is what is seen.
"""

import base64
import html
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from utils.pictures import webp
from utils.widgets.still import image, img, png, status

MOST_BYTES = 400_000
SCRIPT = Path(__file__).with_name("book.js")

FIGURE = (  # MathJax is to leave it alone: a dollar is a dollar in a text that a model has written
    "<figure class='picture-book mathjax_ignore' style='margin:1em 0'>{shown}<p role='status'>{said}</p>"
    "<div class='text'>{text}</div><script type='application/json'>{inside}</script><script>{script}</script></figure>"
)

Stops = Sequence[str | float] | Mapping[str, Any]

Printed = tuple[int | None, str, str, str]
"""A page as it is stored: the number of its picture, alternative text, sentence, HTML below."""


@dataclass(frozen=True)
class Page:
    """What a widget shows at one setting.

    `said` is a sentence, as text; `alt` says in words what kind of picture it is; `text` is HTML that stands below.
    """

    said: str
    picture: Figure | None = None
    alt: str = ""
    text: str = ""

    def as_html(self) -> tuple[str, str]:
        """The sentence and what stands below it, for the two `widgets.HTML` of a live widget."""
        return status(self.said), self.text + (img(png(self.picture), self.alt) if self.picture else "")


@dataclass(frozen=True)
class Control:
    """A slider or a menu: its name, the values to choose from, each under the word or number that is shown for it."""

    kind: str
    name: str
    stops: Mapping[str, Any]
    start: int  # which of them


def slider(name: str, stops: Stops, start: Any = None) -> Control:
    """A slider over values, or over words and the values that they stand for.

    It starts at the first, or at the value or word `start`.
    """
    return _control("slider", name, stops, start)


def menu(name: str, stops: Stops, start: Any = None) -> Control:
    """The same as a menu."""
    return _control("menu", name, stops, start)


def _control(kind: str, name: str, stops: Stops, start: Any) -> Control:
    named = dict(stops) if isinstance(stops, Mapping) else {_shown(value): value for value in stops}
    words = list(named)
    first = words[0] if start is None else _shown(start)
    if first not in words:
        raise ValueError(f"The control {name!r} cannot start at {first!r}. It has {', '.join(words)}.")
    return Control(kind, name, named, words.index(first))


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}".replace("-", "−")


@dataclass(frozen=True)
class Book:
    """Controls, and `page`, which makes the page of a setting: it takes a value of each control, in their order.

    It gives None where there is nothing at this stop of the last control; that control then ends before it.
    """

    controls: Sequence[Control]
    page: Callable[..., Page | None]

    def as_html(self) -> str:
        """The whole book. Raises ValueError for one that is larger than MOST_BYTES, or without its first page."""
        at, pages, pictures = self._printed()
        first = at[self._start()]
        if first is None:
            raise ValueError("The book has no page where its controls start.")
        picture, alt, said, text = pages[first]
        shown = "" if picture is None else image("webp", pictures[picture], alt)
        if picture is not None:
            pictures[picture] = ""  # it stands in the page already
        controls = [
            {"kind": one.kind, "name": one.name, "stops": list(one.stops), "start": one.start} for one in self.controls
        ]
        content = {"controls": controls, "at": at, "pages": pages, "pictures": pictures}
        inside = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        whole = FIGURE.format(
            shown=shown, said=html.escape(said, quote=False), text=text, inside=inside, script=SCRIPT.read_text("utf-8")
        )
        if (size := len(whole.encode())) > MOST_BYTES:
            raise ValueError(
                f"The book has {size:,} bytes in {len(pages)} pages and {len(pictures)} pictures; {MOST_BYTES:,} are "
                "the most. Give its controls fewer stops, or draw smaller pictures."
            )
        return whole

    def _printed(self) -> tuple[list[int | None], list[Printed], list[str]]:
        """The page's number of each setting, the pages, and their pictures; what is the same is there once."""
        import matplotlib.pyplot as plt
        import torch

        at: list[int | None] = []
        pages: dict[Printed, int] = {}
        pictures: dict[str, int] = {}
        # What the lesson draws by chance later does not depend on its book, and all pictures have one size.
        with torch.random.fork_rng(devices=()), plt.rc_context({"savefig.bbox": None}):
            for setting in product(*(control.stops.items() for control in self.controls)):
                page = self.page(*(value for _, value in setting))
                if page is None:
                    at.append(None)
                    continue
                chosen = ", ".join(
                    f"{control.name}: {stop}" for control, (stop, _) in zip(self.controls, setting, strict=True)
                )
                picture = page.picture and pictures.setdefault(_encoded(page.picture), len(pictures))
                printed = picture, f"{page.alt.removesuffix('.')} ({chosen}).", page.said, page.text
                at.append(pages.setdefault(printed, len(pages)))
        return at, list(pages), list(pictures)

    def _start(self) -> int:
        """The place in `at` of the setting at which the book opens."""
        place = 0
        for control in self.controls:
            place = place * len(control.stops) + control.start
        return place


def _encoded(figure: Figure) -> str:
    return base64.b64encode(webp(png(figure))).decode()
