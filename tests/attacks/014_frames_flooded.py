"""Sends thousands of replies that nobody asked for.

Ends: at a limit
"""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import threading

from grading.worker import wire

flood = wire.pack({"value": 1, "problem": None}) * 2000


def forever():
    while True:
        for channel in channels():
            channel.sendall(flood)


threading.Thread(target=forever, daemon=True).start()
