"""Opens the page for quizzes in a browser."""

import contextlib
import os
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path

PAGE = '<!doctype html><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url={}">'


@contextlib.contextmanager
def in_browser(address: str, folder: Path) -> Iterator[None]:
    """In here the address is open in the browser, in its own time.

    Everybody on a machine can read with which words a program was started. So that the token of the address is not
    among them, the browser is given a file of this account's in `folder` that leads there; Jupyter does the same.
    """
    handle, path = tempfile.mkstemp(dir=folder.absolute(), prefix=".quizzes-", suffix=".html")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(PAGE.format(address))
        # In a thread, since a browser in the terminal runs until it is closed.
        threading.Thread(target=webbrowser.open, args=[Path(path).as_uri()], daemon=True).start()
        yield
    finally:
        os.unlink(path)
