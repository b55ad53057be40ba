"""Hands in a link to a device that never ends.

Named: symbolic link
"""


def hand_in(path, released):
    path.symlink_to("/dev/zero")
