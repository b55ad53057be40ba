"""Hands in JSON that is nested a million deep.

Named: nested too deep
"""


def hand_in(path, released):
    path.write_text('{"cells":' + "[" * 900_000 + "]" * 900_000 + "}")
