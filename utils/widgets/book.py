"""A picture book: what a widget shows at a few settings, as plain HTML that answers to its controls without a kernel.

Its pages are made when the course is built (`make build` sets REACH_BOOKS=on) and at no other time. Where no script
runs, as on GitHub, the first page is what is seen.
"""

import base64
import html
import json
import re
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
    "<figure class='picture-book mathjax_ignore' style='margin:1em 0;box-sizing:border-box'>{cover}"
    "<script type='application/json'>{content}</script><script>{script}</script>"
    "<figcaption style='font:inherit;font-size:.85em;color:inherit;text-align:inherit;padding:0'>"
    "Drawn beforehand. Run the notebook to have the whole widget, with all its settings.</figcaption></figure>"
)
STORED = re.compile(
    r"<figure class='picture-book.*?>(?P<cover>.*?)<script type='application/json'>(?P<content>.*?)</script>.*",
    re.DOTALL,
)

Stops = Sequence[str | float] | Mapping[str, Any]


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

    It gives None where there is nothing at this stop of the last control; that control then ends before it. `cover`
    makes what is seen where no script runs; that is the page at which the book opens, unless told.
    """

    controls: Sequence[Control]
    page: Callable[..., Page | None]
    cover: Callable[[], Page] | None = None

    def as_html(self) -> str:
        """The whole book. Raises ValueError for one that is larger than MOST_BYTES, or has no first page."""
        import torch

        with torch.random.fork_rng(devices=()):  # what the lesson draws by chance later does not depend on its book
            cover, content = self._cover(), self._content()
        inside = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        whole = _bound(cover, inside)
        if (size := len(whole.encode())) > MOST_BYTES:
            raise ValueError(
                f"The book has {size:,} bytes in {len(content['pages'])} pages; {MOST_BYTES:,} are the most. "
                "Give its controls fewer stops, or draw smaller pictures."
            )
        return whole

    def _cover(self) -> str:
        first = (list(control.stops.values())[control.start] for control in self.controls)
        page = self.cover() if self.cover else self.page(*first)
        if page is None:
            raise ValueError("The book has no page where its controls start.")
        shown = "" if page.picture is None else image("webp", _encoded(page.picture), page.alt)
        return f"{shown}<p role='status'>{html.escape(page.said, quote=False)}</p><div class='text'>{page.text}</div>"

    def _content(self) -> dict[str, list]:
        """What book.js reads: the controls, the number of the page at each setting, the pages, the pictures.

        A page is [number of its picture, alternative text, sentence, HTML below]. What is the same is there once.
        """
        at: list[int | None] = []
        pages: dict[tuple[int | None, str, str, str], int] = {}
        pictures: dict[str, int] = {}
        for setting in product(*(control.stops.items() for control in self.controls)):
            page = self.page(*(value for _, value in setting))
            if page is None:
                at.append(None)
                continue
            picture = page.picture and pictures.setdefault(_encoded(page.picture), len(pictures))
            stops = [f"{control.name}: {stop}" for control, (stop, _) in zip(self.controls, setting, strict=True)]
            alt = f"{page.alt.removesuffix('.')} ({', '.join(stops)})."
            at.append(pages.setdefault((picture, alt, page.said, page.text), len(pages)))
        controls = [
            {"kind": one.kind, "name": one.name, "stops": list(one.stops), "start": one.start} for one in self.controls
        ]
        return {"controls": controls, "at": at, "pages": list(pages), "pictures": list(pictures)}


def _bound(cover: str, content: str) -> str:
    return FIGURE.format(cover=cover, content=content, script=SCRIPT.read_text(encoding="utf-8"))


def bound_anew(html: str) -> str:
    """A stored book with the script of today. Its pages are what they were; HTML that is no book is what it was."""
    book = STORED.fullmatch(html)
    return _bound(book["cover"], book["content"]) if book else html


def _encoded(figure: Figure) -> str:
    return base64.b64encode(webp(png(figure))).decode()
