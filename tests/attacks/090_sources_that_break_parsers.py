"""Writes code that takes parsers and regular expressions long, or down.

Ends: at a limit
"""

import json

SOURCES = [
    "-" * 99_000 + "1",
    "a" + ".b" * 49_000,
    "(" * 90 + ")" * 90,
    "lambda:" * 14_000 + "1",
    "\x00",
    "def " * 24_000,
]
SOURCES += [
    "f" + "()" * 49_000,
    "conv2d" + " " * 99_000 + ":",
    "\\\n" * 49_000,
    "%" * 99_000,
    "a=" * 49_000 + "1",
    "\n" * 99_000,
]
SOURCES += [
    "!cp /etc/passwd /tmp/x\n%run /etc/passwd\n%load_ext evil",
    "%%bash\ncat /etc/shadow; kill -9 -1; sleep 1000 &",
]


def hand_in(path, released):
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in SOURCES]
    few = [cells[number : number + 4] for number in range(0, len(cells), 4)]
    path.write_text(
        json.dumps(released | {"cells": released["cells"] + [cell for part in few[:1] + few[3:] for cell in part]})
    )
