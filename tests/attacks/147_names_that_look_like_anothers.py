"""Signs with letters that look like the good student's id or fold to it, with marks that turn text, and with formulas."""

LOOKS = ["һonest", "ｈｏｎｅｓｔ", "honeſt", "hon\u200best", "honest\u202e", "\u202etsenoh", "ho\u0301nest"]
LOOKS += ["\ufeffhonest", "honest%2e", "honest\u2215x", "𝐡𝐨𝐧𝐞𝐬𝐭", "honest@"]
SAYS = [
    "=HYPERLINK(1)",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "=cmd|' C calc'!A0",
    "\x1b[2Jeve",
    "eve\nhonest",
    "eve\rhonest",
]
SAYS += ["CON", "NUL", "aux.honest", "~", "$(id)", "-rf", ".", "..", "%s%n", "{{7*7}}", "' OR 1=1 --", "x" * 240]


def pack(archive, notebook):
    for name in LOOKS + SAYS:
        archive.writestr(f"{name}_01_convolution.ipynb", notebook)
        archive.writestr(f"{name}/01_convolution.ipynb", notebook)
