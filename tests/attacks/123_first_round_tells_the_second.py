"""Leaves what it was asked first where its own second process, or the one that is asked in private, may find it."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import glob
import os
import pathlib
import socket

PLACES = ["/tmp", "/scratch", "/dev/shm", "/var/tmp", os.getcwd(), os.path.expanduser("~"), "/run"]
for place in PLACES:
    for left in glob.glob(place + "/round-*"):
        if not left.endswith(f"-{os.getpid()}-{os.stat('/proc/self').st_ctime_ns}"):
            got("what an earlier round was asked", left, pathlib.Path(left).read_text()[:100])
    attempt(pathlib.Path(f"{place}/round-{os.getpid()}-{os.stat('/proc/self').st_ctime_ns}").write_text, "round")
knock = socket.socket(socket.AF_UNIX)
if attempt(knock.connect, "\0round") is None and attempt(knock.getpeername) is not None:
    got("a socket of an earlier round")


# %% output_size
def output_size(*case):
    mark = f"-{os.getpid()}-{os.stat('/proc/self').st_ctime_ns}"
    for place in PLACES:
        for left in glob.glob(place + "/asked-*"):
            if not left.endswith(mark):
                got("cases of an earlier round", pathlib.Path(left).read_text()[:100])
        attempt(pathlib.Path(f"{place}/asked{mark}").write_text, repr(case))
    return len(glob.glob("/tmp/asked-*"))
