"""Fills cells with what takes a page's colours the square of its length: lines of blanks, in code and in text."""

import copy
import json

BLANK = ["x = 1\n" + " \n" * 9_900, "y = 1\n" + "\n\u2003" * 9_900, "'''\n" + "\t \n" * 6_600, "z = 1\n" + " " * 19_900]


def hand_in(path, released):
    notebook = copy.deepcopy(released)
    for number in range(24):
        cell = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
        notebook["cells"].append(cell | {"id": f"blank-{number}", "source": BLANK[number % len(BLANK)]})
    path.write_text(json.dumps(notebook), encoding="utf-8")
