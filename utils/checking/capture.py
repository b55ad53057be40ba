"""What an answer prints, displays and draws while it is checked: kept out of the notebook, the beginning remembered."""

import contextlib
import functools
import io
import sys
import warnings
from collections.abc import Iterator
from typing import Any

MAX_PRINTED = 2_000


class Printed(io.TextIOBase):
    """What goes to standard output or error: keeps the beginning, counts the rest."""

    def __init__(self) -> None:
        self.kept, self.count = "", 0

    def write(self, text: str) -> int:
        self.count += len(text)
        self.kept += text[: MAX_PRINTED - len(self.kept)]
        return len(text)

    def report(self) -> str:
        if self.count <= MAX_PRINTED:
            return self.kept
        return f"{self.kept}\n... and {self.count - MAX_PRINTED:,} characters more"


@contextlib.contextmanager
def captured(printed: Printed) -> Iterator[None]:
    """Catch prints and warnings (without the line that they came from, often one of ours), displays and figures."""
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        warnings.catch_warnings(),
        _no_displays(),
        _no_figures(),
    ):
        warnings.showwarning = lambda message, category, *where: printed.write(f"{category.__name__}: {message}\n")
        yield


@contextlib.contextmanager
def _no_displays() -> Iterator[None]:
    """In a notebook: `display` shows nothing, and `exit()` is an error of the answer rather than the kernel's end."""
    shell = _shell()
    if shell is None:
        yield
        return
    publisher, shell.display_pub = shell.display_pub, _silent_publisher()
    shell.ask_exit = _exit
    try:
        yield
    finally:
        shell.display_pub = publisher
        del shell.ask_exit


@functools.cache
def _silent_publisher() -> Any:
    """Swallows what is displayed. There is one, since it takes as long to make as many an answer takes."""
    from IPython.core.displaypub import DisplayPublisher

    class Silent(DisplayPublisher):
        def publish(self, *args: Any, **kwargs: Any) -> None:
            """Show nothing."""

        def clear_output(self, wait: bool = False) -> None:
            """There is nothing to clear."""

    return Silent()


def _shell() -> Any:
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _pyplot() -> Any:
    return sys.modules.get("matplotlib.pyplot")


def _exit() -> None:
    raise SystemExit("an answer must not end the kernel")


@contextlib.contextmanager
def _no_figures() -> Iterator[None]:
    """Figures that an answer opens are not shown, which would take its time, and are closed at the end."""
    pyplot = _pyplot()
    before = set(pyplot.get_fignums()) if pyplot else set()
    show = getattr(pyplot, "show", None)
    if pyplot:
        pyplot.show = lambda *args, **kwargs: None
    try:
        yield
    finally:
        if pyplot:
            pyplot.show = show
        pyplot = _pyplot()  # the answer may have been the first to import it
        for number in set(pyplot.get_fignums()) - before if pyplot else ():
            pyplot.close(number)
