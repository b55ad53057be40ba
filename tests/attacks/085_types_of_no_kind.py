"""Puts other types where a notebook has strings, lists and dicts."""

import json


def hand_in(path, released):
    wrong = [None, 1, [], {}, "x", [[1]], {"a": {"b": []}}, True]
    for number, cell in enumerate(released["cells"]):
        key = ["cell_type", "metadata", "source", "id", "outputs"][number % 5]
        cell[key] = wrong[number % len(wrong)]
    released["cells"] += [None, 1, "x", [], {}, {"cell_type": "code"}, {"cell_type": ["code"], "source": {}}]
    released["metadata"], released["nbformat"] = [1], {"a": 1}
    path.write_text(json.dumps(released))
