"""Text in Markdown: plain, and cut out of a document."""

import re

SIGNS = re.compile(r"([\\`*_{}\[\]<>$#|~^!&@])")


def plain(text: str) -> str:
    """`text`, in which no sign means anything but itself."""
    return SIGNS.sub(r"\\\1", text)


def sentence(text: str) -> str:
    """`text`, in which only what stands between backticks means something: it is code."""
    return "".join(part if place % 2 else plain(part) for place, part in enumerate(re.split(r"(`[^`]+`)", text)))


def section(markdown: str, heading: str) -> str:
    """What stands below `## heading`, up to the next heading of that level. Raises LookupError if there is none."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", markdown, re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(f"There is no section {heading!r}.")
    return found[1].strip()
