"""Text in Markdown: plain, and cut out of a document."""

import re

SIGNS = re.compile(r"([\\`*_{}\[\]<>$#|~^!&@])")


def plain(text: str) -> str:
    """`text`, in which no sign means anything but itself."""
    return SIGNS.sub(r"\\\1", text)


def section(markdown: str, heading: str) -> str:
    """What stands below `## heading`, up to the next heading of that level. Raises LookupError if there is none."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", markdown, re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(f"There is no section {heading!r}.")
    return found[1].strip()
