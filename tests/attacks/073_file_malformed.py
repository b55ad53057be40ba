"""Hands in a notebook that was cut off in the middle.

Named: not JSON
"""

import json


def hand_in(path, released):
    text = json.dumps(released)
    path.write_text(text[: len(text) // 2])
