"""Outputs that came out of a sandbox: kept where they are text or a picture, dropped where they are anything else."""

from typing import Any

from nbformat import NotebookNode

from grading.untrusted.png import checked_png

MAX_OUTPUTS = 120  # of one cell
MAX_TEXT = 120_000  # characters


def clean_outputs(outputs: Any) -> list[NotebookNode]:
    """Of these outputs in nbformat's shape, those that are safe to store and to show, with nothing else in them.

    Streams, errors, plain text and PNG pictures of a sensible size stay. HTML, scripts, SVG and widgets do not.
    """
    cleaned = [_clean(output) for output in outputs[:MAX_OUTPUTS]] if isinstance(outputs, list) else []
    return [output for output in cleaned if output is not None]


def _clean(output: Any) -> NotebookNode | None:
    if not isinstance(output, dict):
        return None
    match output.get("output_type"):
        case "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return NotebookNode(output_type="stream", name=name, text=_text(output.get("text")))
        case "error":
            lines = output.get("traceback")
            lines = "\n".join(map(_text, lines[:1000])) if isinstance(lines, list) else ""
            name, value = _text(output.get("ename"))[:100], _text(output.get("evalue"))
            return NotebookNode(output_type="error", ename=name, evalue=value, traceback=_text(lines).split("\n"))
        case "display_data" | "execute_result":
            data = _data(output.get("data"))
            return NotebookNode(output_type="display_data", metadata={}, data=data) if data else None
    return None


def _data(data: Any) -> dict[str, str]:
    if not isinstance(data, dict):
        return {}
    kept = {"text/plain": _text(data["text/plain"])} if isinstance(data.get("text/plain"), str) else {}
    if isinstance(data.get("image/png"), str) and (png := checked_png(data["image/png"])):
        kept["image/png"] = png
    return kept


def _text(value: Any) -> str:
    """A string without what cannot be stored as UTF-8, cut off where it gets too long."""
    text = value if isinstance(value, str) else ""
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()
