"""Gives members names with scripts, formulas, control characters and other students' names in other letters."""

NAMES = [
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "<script>alert(1)</script>",
    "a\u202eb",
    "\x1b[2J",
    "hone\u0455t",
    "CON",
    "-rf",
]
NAMES += [
    "x" * 5_000,
    "a\x00b",
    "a\nb",
    ".",
    "~root",
    "$(touch LEFT-BY-AN-ATTACK)",
    "submitted",
    "\N{FULLWIDTH LATIN SMALL LETTER H}onest",
]


def pack(archive, notebook):
    for name in NAMES:
        archive.writestr(f"{name}/01_convolution.ipynb", notebook)
