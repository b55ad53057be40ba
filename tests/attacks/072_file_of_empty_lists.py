"""Hands in a few megabytes of JSON that take gigabytes once they are read.

Named: lists and objects
"""


def hand_in(path, released):
    path.write_text('{"cells": [' + "[]," * 6_000_000 + "{}]}")
