"""Looks for what the warm process left: its socket, its threads, its requests, its children."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import gc
import os
import threading

sockets = {os.fstat(channel.fileno()).st_ino for channel in channels()}
got("another socket", sockets) if len(sockets) != 1 else None
for thing in gc.get_objects():
    if type(thing).__name__ in ("Sandbox", "Session", "Student", "Popen", "Assignment", "Graded"):
        got("an object of the judge", type(thing).__name__)
visible = [name for name in attempt(os.listdir, "/proc") or [] if name.isdigit()]
got("other processes", visible) if len(visible) > 1 + threading.active_count() else None
