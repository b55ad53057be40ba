"""Hands in a folder.

Named: ordinary file|cannot be opened|directory
"""


def hand_in(path, released):
    (path / "01_convolution.ipynb").mkdir(parents=True)
