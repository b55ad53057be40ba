"""Binds abstract and other local sockets, in the hope that the next submission connects."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import socket

left = []
for name in ("\0LEFT-BY-AN-ATTACK", "/tmp/LEFT-BY-AN-ATTACK.sock", "/dev/shm/LEFT-BY-AN-ATTACK.sock"):
    one = socket.socket(socket.AF_UNIX)
    attempt(one.bind, name)
    attempt(one.listen)
    left.append(one)
