"""Run a notebook's cells in one namespace, as Jupyter would, and keep what each shows."""

import re
import sys
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

MAX_TEXT = 100_000  # characters of one stream or traceback
MAX_DATA = 2_000_000  # characters of one representation
MAX_OUTPUTS = 100  # of one cell
KINDS = ("text/plain", "image/png")  # what is shown; HTML and scripts have no business on an instructor's screen
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Shell(InteractiveShell):
    """IPython without a terminal, a history or a kernel; keeps the error of the last cell instead of printing it."""

    error: dict[str, Any] | None = None

    def enable_gui(self, gui=None) -> None:
        """There is no window to look after."""

    def enable_matplotlib(self, gui=None):
        """Figures are kept as in a notebook, whatever `%matplotlib` asks for; live ones need a browser."""
        return super().enable_matplotlib("inline")

    def _showtraceback(self, etype, evalue, stb) -> None:
        self.error = {"output_type": "error", "ename": etype.__name__, "evalue": "", "traceback": []}
        self.error["evalue"] = str(evalue)[:MAX_TEXT]
        self.error["traceback"] = ANSI.sub("", "\n".join(stb))[:MAX_TEXT].split("\n")


def warm_shell() -> Shell:
    """The shell that every submission starts from; made before the fork. Figures appear as in a notebook."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = Shell.instance(config=config)
    shell.enable_matplotlib("inline")
    run_cell(shell, "1 / 0")  # imports what a traceback needs
    return shell


def run_cell(shell: Shell, source: str) -> list[dict[str, Any]]:
    """Run one cell and return its outputs in nbformat's shape. Never raises what the cell raises."""
    shell.error = None
    with capture_output() as captured:
        shell.display_trap.hook = sys.displayhook  # else the value of the last line is printed
        shell.run_cell(source)
    outputs = _streams(captured)
    for shown in captured.outputs[:MAX_OUTPUTS]:
        data = {kind: shown.data[kind] for kind in KINDS if isinstance((shown.data or {}).get(kind), str)}
        if data := {kind: text[:MAX_TEXT] if kind == "text/plain" else text for kind, text in data.items()}:
            fits = all(len(text) <= MAX_DATA for text in data.values())
            data = data if fits else {"text/plain": "(an output too large to keep)"}
            outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
    return outputs + ([shell.error] if shell.error else [])


def _streams(captured) -> list[dict[str, Any]]:
    streams = []
    for name, text in (("stdout", captured.stdout), ("stderr", captured.stderr)):
        if text:
            rest = f"\n... and {len(text) - MAX_TEXT:,} characters more" if len(text) > MAX_TEXT else ""
            streams.append({"output_type": "stream", "name": name, "text": text[:MAX_TEXT] + rest})
    return streams
