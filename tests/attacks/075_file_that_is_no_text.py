"""Hands in a pickle, which would leave a file where it is opened, with the name of a notebook.

Named: not UTF-8|not JSON
"""

import os
import pickle


class Command:
    def __reduce__(self):
        return os.system, ("touch /tmp/LEFT-BY-AN-ATTACK",)


def hand_in(path, released):
    path.write_bytes(pickle.dumps([Command(), b"\xff\xfe\x00"]))
