"""Writes formulas that LaTeX's reader never ends, signs that XML does not know, and numbers of signs that turn text around."""

import json

OPEN = ["(" * 40, r"\bigl(x" * 100, r"f\langle " * 40, "]0,1[+" + "(0,1[+" * 40]
UNKNOWN = "$\uffff$ $$\n\\text{\ufffe}\n$$ $\x01$ $\ud800$ $&#x202e;$ &#x2066; $" + "a\u0300" * 200 + "$"


def hand_in(path, released):
    texts = [cell for cell in released["cells"] if cell["cell_type"] == "markdown"]
    for number, cell in enumerate(texts):
        cell["source"] = "".join(cell["source"]) + f"\n\n${OPEN[number % len(OPEN)]}{number}$\n\n{UNKNOWN}"
    quiz = next(cell for cell in texts if "nbgrader" in cell["metadata"])
    quiz["source"] = f"C, since {UNKNOWN}"
    path.write_text(json.dumps(released))
