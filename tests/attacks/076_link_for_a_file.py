"""Hands in a symbolic link to a file of the machine.

Named: symbolic link
"""


def hand_in(path, released):
    path.symlink_to("/etc/passwd")
