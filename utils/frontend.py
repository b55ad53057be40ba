"""Where output goes: a notebook shows the richest form that it can, a terminal shows text."""

import html
import re

from utils.terminal import writable

# The style of text as it was written, in lines that fit. Without the last two, JupyterLab breaks words anywhere.
WRAPPED = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"


def marked_up(text: str) -> str:
    """Text as HTML, what stands in `backticks` as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text))


def show(bundle: dict, metadata: dict | None = None) -> None:
    """Display a bundle of {media type: content}; print its "text/plain" where no notebook kernel runs."""
    from IPython import get_ipython

    if getattr(get_ipython(), "kernel", None) is None:
        print(writable(bundle["text/plain"]))
        return
    from IPython.display import display

    display(bundle, metadata=metadata, raw=True)
