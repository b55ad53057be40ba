"""Signs such as ✓ and × that standard output cannot hold become "?": on Windows, a file has its code page."""

import io
import sys


def write_in_any_encoding() -> None:
    """From here on, for all that is written. For commands: standard output is theirs."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def writable(text: str) -> str:
    """This text alone. For functions that others call: they leave standard output as it is."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
