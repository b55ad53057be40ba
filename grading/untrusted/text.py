"""Hostile text as plain text that shows all it holds, for pages and terminals."""

import re

MAX_TEXT = 5_000  # characters of one output
MAX_NAME = 200  # characters of a file's name

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_OVERWRITTEN = re.compile(r"^.*\r(?=.)", re.MULTILINE)  # a progress bar draws over its own line

# Control characters become pictures of themselves. Marks that turn the direction of text around, with which code can
# be made to look like other code, are spelled out. Halves of a surrogate pair cannot be written as UTF-8.
_SHOWN = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"} | {0x7F: "␡"}
_SHOWN |= dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000)], "\N{REPLACEMENT CHARACTER}")
_SHOWN |= {code: f"⟨U+{code:04X}⟩" for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]}


def visible(text: object, limit: int = MAX_TEXT) -> str:
    """`text` as plain text that shows all it holds: no terminal codes, no control characters, no turned direction.

    What is no text gives an empty string; of what is too long the middle is left out, and it is said how much.
    """
    if not isinstance(text, str):
        return ""
    left_out = len(text) - limit
    if left_out > 0:
        text = f"{text[: limit * 3 // 4]}\n… {left_out:,} characters left out …\n{text[-limit // 4 :]}"
    text = _ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n")
    return _OVERWRITTEN.sub("", text).translate(_SHOWN)


def printable(name: object) -> str:
    """A name that a student may have chosen, fit for a line of a terminal or a page: printable, and not endless."""
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(name))
    return text if len(text) <= MAX_NAME else f"{text[:100]} … {text[-99:]}"
