"""Experiments that take too long for a lesson are run once and recorded; lessons draw the record."""

import json
from pathlib import Path
from typing import Any

from bench.machine import sentence
from utils.files import write_whole


def record(path: Path, module: str, **content: Any) -> None:
    """Store plain values in docs/recorded/, with the command that made them and the machine that they come from.

    Args:
        path: the file to write.
        module: the recorder's name, such as "record_horizon".
        content: what was measured.
    """
    stored = {"command": f"python -m bench.{module}", "machine": sentence(), **content}
    write_whole(path, json.dumps(stored, indent=1) + "\n")
    print(f"Written: {path}")
