"""What the course's commands write on."""

import io
import sys


def write_in_any_encoding() -> None:
    """Signs such as ✓ and × become "?" where standard output cannot hold them: a file on Windows has its code page."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
