"""Show a widget together with a picture of it, so that a reader without a kernel sees something too."""

import base64
import html
import io
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from utils import frontend
from utils.cells import WIDGET

if TYPE_CHECKING:
    from ipywidgets import Widget

    from utils.widgets.book import Book


def png(figure: Figure, dpi: int = 90) -> bytes:
    """The figure as PNG bytes. The figure is closed, so that it is not shown a second time."""
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    plt.close(figure)
    return buffer.getvalue()


def img(picture: bytes, alt: str) -> str:
    """An HTML image of PNG bytes, for `widgets.HTML`: `widgets.Image` has no alternative text."""
    return image("png", base64.b64encode(picture).decode(), alt)


def image(kind: str, encoded: str, alt: str) -> str:
    """An HTML image of base64."""
    return f"<img alt='{html.escape(alt)}' src='data:image/{kind};base64,{encoded}' style='max-width:100%'>"


def status(text: str) -> str:
    """A sentence as HTML that screen readers speak when it changes."""
    return f"<span role='status'>{html.escape(text, quote=False)}</span>"


def selected(menu: Any) -> Any:
    """The value of the selected option. Never None, which ipywidgets allows: in ours something always is selected."""
    return menu.value


def follow(controls: "Iterable[Widget]", redraw: Callable[[], None]) -> None:
    """Draw now, and again whenever the value of a control changes."""
    for control in controls:
        control.observe(lambda _: redraw(), "value")
    redraw()


def show(widget: "Widget", still: Figure, alt: str, book: "Book") -> None:
    """Display `widget` where a kernel runs, elsewhere (in a stored notebook, say) its book, or a picture.

    All go out as one output: a front end picks the live one if it can. `make build` keeps the others alone, and is the
    only one that makes the book.

    Args:
        widget: the whole widget.
        still: a figure of what the widget shows at its start.
        alt: what the picture shows, in words, for those who do not see it.
        book: what it shows at other settings; see `utils.widgets.book`.
    """
    live = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    bundle = {WIDGET: live, "image/png": base64.b64encode(png(still)).decode(), "text/plain": alt}
    if os.environ.get("REACH_BOOKS") == "on":
        bundle["text/html"] = book.as_html()
    frontend.show(bundle, metadata={"image/png": {"alt": alt}})
