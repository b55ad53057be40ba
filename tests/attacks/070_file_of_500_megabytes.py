"""Hands in half a gigabyte.

Named: larger than 20 MB
"""


def hand_in(path, released):
    with path.open("wb") as file:
        file.write(b'{"cells": [')
        file.truncate(500_000_000)
