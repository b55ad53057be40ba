"""Hands in NaN, 1e400 and a number of a million digits where a notebook has none.

Named: too long
"""

import json


def hand_in(path, released):
    text = json.dumps(released | {"nbformat": 4.0, "metadata": {"a": float("nan"), "b": float("inf")}})
    path.write_text(text[:-1] + ', "c": 1e400, "d": ' + "9" * 1_000_000 + "}")
